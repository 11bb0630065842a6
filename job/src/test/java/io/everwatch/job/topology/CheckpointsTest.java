// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
