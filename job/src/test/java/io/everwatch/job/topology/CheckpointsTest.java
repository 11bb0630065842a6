// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.EverwatchConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.apache.flink.configuration.CheckpointingOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointsTest {
  @TempDir private Path dir;

  private Path checkpoint(String path, long writtenMillis) throws Exception {
    Path checkpoint = Files.createDirectories(dir.resolve(path));
    Path metadata = Files.createFile(checkpoint.resolve("_metadata"));
    Files.setLastModifiedTime(metadata, FileTime.fromMillis(writtenMillis));
    return checkpoint;
  }

  @Test
  void areFoundAgainBelowAFolderWithBlanks(@TempDir Path somewhere) throws Exception {
    Path folder = somewhere.resolve("my 100% state");
    Path checkpoint = Files.createDirectories(folder.resolve("job/chk-1"));
    Files.createFile(checkpoint.resolve("_metadata"));

    String uri = Checkpoints.uri(folder.toString());

    assertThat(new org.apache.flink.core.fs.Path(uri).getPath())
        .as("where Flink writes")
        .isEqualTo(folder.toString());
    assertThat(Checkpoints.newest(folder.toString())).contains(checkpoint);
    assertThat(Checkpoints.newest(uri)).contains(checkpoint);
  }

  @Test
  void theNewestCompleteCheckpointOfAnyJobIsFound() throws Exception {
    checkpoint("job-a/chk-9", 1000);
    Path newest = checkpoint("job-b/chk-2", 2000);
    Files.createDirectories(dir.resolve("job-b/chk-3")); // was being written at the end
    checkpoint("job-b/shared", 3000);

    assertThat(Checkpoints.newest(dir)).contains(newest);
    assertThat(Checkpoints.newest(dir.toUri().toString())).contains(newest);
  }

  @Test
  void groupsThatShareAFolderDoNotFindEachOthersCheckpoints() throws Exception {
    Path own = checkpoint("north/job-a/chk-1", 1000);
    checkpoint("south/job-b/chk-1", 2000);

    assertThat(Checkpoints.of(of("north")).flatMap(Checkpoints::newest)).contains(own);
    assertThat(Checkpoints.of(of("east")).flatMap(Checkpoints::newest)).isEmpty();
    assertThat(FlinkSettings.ofJob(of("north")).get(CheckpointingOptions.CHECKPOINTS_DIRECTORY))
        .as("where Flink writes")
        .isEqualTo("file://" + dir.resolve("north"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"..", ".", "a/b", "a b", "ä%2F"})
  void aGroupOfAnyNameHasOneFolderInsideTheDirectory(String group) throws Exception {
    String uri = Checkpoints.of(of(group)).orElseThrow();

    Path folder = Path.of(new org.apache.flink.core.fs.Path(uri).getPath()); // where Flink writes
    assertThat(folder.normalize().getParent()).isEqualTo(dir);
    Path found = checkpoint(dir.relativize(folder) + "/job/chk-1", 1000);
    assertThat(Checkpoints.newest(uri)).contains(found);
  }

  private EverwatchConfig of(String group) {
    return EverwatchConfig.of(
        "brokers", "localhost:1", "group", group, "checkpoint.dir", dir.toString());
  }

  @Test
  void noDirectoryMeansNoCheckpoint() {
    assertThat(Checkpoints.newest(dir.resolve("none"))).isEmpty();
    assertThat(Checkpoints.newest("s3://bucket/checkpoints")).isEmpty();
  }

  @Test
  void aPathBecomesAUriAndAUriStaysOne() {
    assertThat(Checkpoints.uri("s3://bucket/a b")).isEqualTo("s3://bucket/a b");
    assertThat(Checkpoints.uri("relative")).startsWith("file:///").endsWith("/relative");
  }
}
