// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.artifacts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code everwatch} in a built checkout, with a Java that only says how it is called.
 */
@EnabledOnOs(OS.LINUX)
class LauncherTest {
  private static final String CACHE = "-Deverwatch.cache.dir=";

  @TempDir Path dir;

  private Path checkout = Path.of("");
  private Path java = Path.of("");

  @BeforeEach
  void build() throws IOException {
    checkout = Files.createDirectory(dir.resolve("a check out"));
    Files.copy(
        Path.of("../everwatch"), checkout.resolve("everwatch"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.createFile(checkout.resolve("pom.xml"));
    for (String module : List.of("schemas", "kernels", "operators", "job")) {
      Files.createDirectories(checkout.resolve(module).resolve("src/main"));
      Files.createFile(checkout.resolve(module).resolve("pom.xml"));
    }
    Path jar = checkout.resolve("job/target/everwatch-all.jar");
    Files.createDirectory(checkout.resolve("job/target"));
    Files.createFile(jar);
    Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(60)));
    java = dir.resolve("jdk");
    Files.createDirectories(java.resolve("bin"));
    release("17.0.1");
    Files.writeString(java.resolve("bin/java"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    Files.setPosixFilePermissions(
        java.resolve("bin/java"), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void keepsItsCacheFromOthersWhateverTheUmask() throws Exception {
    Path cache = dir.resolve("cache");

    Processes.Finished done =
        shell("umask 000; EVERWATCH_CACHE='" + cache + "' ./everwatch demo --cameras 2");

    assertThat(done.status()).as(done.err()).isZero();
    assertThat(done.out().lines()).contains(CACHE + cache.toRealPath(), "demo", "--cameras", "2");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwx------");
  }

  @Test
  void worksThroughALinkWithoutAHomeDirectory() throws Exception {
    Files.createSymbolicLink(dir.resolve("link"), checkout.resolve("everwatch"));

    Processes.Finished done = shell("unset HOME XDG_CACHE_HOME; cd /; '" + dir + "/link' doctor");

    assertThat(done.status()).as(done.err()).isZero();
    assertThat(done.out().lines())
        .contains(CACHE + checkout.toRealPath().resolve("job/target/cache"), "doctor");
  }

  @Test
  void saysWhatToDoWhenTheCacheCannotBeUsed() throws Exception {
    Path file = Files.createFile(dir.resolve("file"));

    Processes.Finished done = shell("EVERWATCH_CACHE='" + file + "/cache' ./everwatch doctor");

    assertThat(done.status()).isEqualTo(1);
    assertThat(done.err()).contains(file + "/cache cannot be written to", "EVERWATCH_CACHE");
  }

  @Test
  void removesWhatKilledRunsOfThisMachineLeftAndNothingElse() throws Exception {
    Path runs = Files.createDirectories(dir.resolve("cache/run"));
    String gone = "999999999"; // above the largest process ID
    Path left = Files.createDirectory(runs.resolve("here." + gone));
    Path elsewhere = Files.createDirectory(runs.resolve("here.too." + gone));

    Processes.Finished done =
        shell(
            "uname() { echo here; }; export -f uname; EVERWATCH_CACHE='"
                + runs.getParent()
                + "' bash ./everwatch doctor");

    assertThat(done.status()).as(done.err()).isZero();
    assertThat(left).doesNotExist();
    assertThat(elsewhere).as("of a host whose name begins alike").exists();
  }

  @Test
  void silencesJavasWarningsOfTheLibrariesWhereItKnowsTheFlag() throws Exception {
    String flag = "--sun-misc-unsafe-memory-access=allow";
    assertThat(shell("HOME='" + dir + "' ./everwatch doctor").out().lines()).doesNotContain(flag);

    release("25.0.3");

    assertThat(shell("HOME='" + dir + "' ./everwatch doctor").out().lines()).contains(flag);
  }

  private void release(String version) throws IOException {
    Files.writeString(java.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
  }

  private Processes.Finished shell(String script) throws Exception {
    return Processes.run(
        dir,
        Map.of("JAVA_HOME", java.toString()),
        Duration.ofSeconds(30),
        "bash",
        "-c",
        "cd '" + checkout + "' && { " + script + "; }");
  }
}
