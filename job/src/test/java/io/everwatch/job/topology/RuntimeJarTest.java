// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong class paths; folders stand for jars. */
class RuntimeJarTest {
  private static final String JOB = "io/everwatch/job/version.properties";
  private static final String RUNTIME = "io/everwatch/operators/flink/runtime.properties";

  @TempDir private Path dir;

  private Path jar(String name, String resource, String version) throws IOException {
    Path file = dir.resolve(name).resolve(resource);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "version=" + version);
    return dir.resolve(name);
  }

  private static List<String> problems(Path... jars) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (Path jar : jars) {
      urls.add(jar.toUri().toURL());
    }
    try (URLClassLoader loader =
        new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      return RuntimeJar.problems(loader);
    }
  }

  @Test
  void oneRuntimeOfTheJobsVersionIsRight() throws IOException {
    assertThat(problems(jar("job", JOB, "1.2.3"), jar("runtime", RUNTIME, "1.2.3"))).isEmpty();
    assertThat(RuntimeJar.problems(RuntimeJarTest.class.getClassLoader())).isEmpty();
  }

  @Test
  void aMissingRuntimeIsNamedWithWhereItBelongs() throws IOException {
    assertThat(problems(jar("job", JOB, "1.2.3")))
        .singleElement()
        .asString()
        .contains("everwatch-runtime.jar is not on the class path", "1.2.3", "Flink's lib folder");
  }

  @Test
  void twoRuntimesAreBothNamed() throws IOException {
    Path one = jar("one", RUNTIME, "1.2.3");
    Path other = jar("other", RUNTIME, "1.2.2");

    assertThat(problems(jar("job", JOB, "1.2.3"), one, other))
        .singleElement()
        .asString()
        .contains("2 times", one.toString(), other.toString(), "remove");
  }

  @Test
  void aRuntimeInsideTheJobsJarIsNamed() throws IOException {
    Path fat = jar("fat", JOB, "1.2.3");
    jar("fat", RUNTIME, "1.2.3");

    assertThat(problems(fat))
        .singleElement()
        .asString()
        .contains(fat + " contains the runtime", "expected everwatch-job.jar");
  }

  @Test
  void anotherVersionIsNamedWithBoth() throws IOException {
    assertThat(problems(jar("job", JOB, "1.2.3"), jar("runtime", RUNTIME, "1.1.0")))
        .singleElement()
        .asString()
        .contains("of version 1.2.3", "of version 1.1.0", "expected the same");
  }
}
