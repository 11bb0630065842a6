// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What cannot work ends a job at its start, with one message, and is not tried for ever. */
@Timeout(120)
class StartITCase {
  private static final Duration ANSWER = Duration.ofSeconds(20);
  private static final long LIMIT_SECONDS = 60;
  private static final int SECONDS = 3;

  @TempDir private static Path shared;
  private static House house;

  /** Of a job that watched a road. */
  private static Path checkpoint = Path.of("");

  @TempDir private Path dir;

  @BeforeAll
  static void open() throws Exception {
    house = new House(shared);
    try (RoadFrames road = new RoadFrames("north", 7, Encoding.PNG)) {
      for (int i = 0; i < 2 * SECONDS + 1; i++) {
        house.send(0, road.next().build());
      }
    }
    try (LocalJob job = house.start(config(), Optional.empty())) {
      house.committedUntil(texts -> texts.size() == SECONDS);
    }
    checkpoint = Checkpoints.newest(house.checkpoints()).orElseThrow();
  }

  @AfterAll
  static void close() {
    house.close();
  }

  private static EverwatchConfig config(String... more) {
    return house.config(
        Stream.concat(Stream.of("snapshot.interval", "0"), Stream.of(more)).toArray(String[]::new));
  }

  /** Keeps the checkpoint with all that it shares: it is damaged where it lies. */
  private void keep() throws IOException {
    FileUtils.copyDirectory(folder().toFile(), dir.resolve("kept").toFile());
  }

  private void bringBack() throws IOException {
    FileUtils.copyDirectory(dir.resolve("kept").toFile(), folder().toFile());
  }

  private static Path folder() {
    return Objects.requireNonNull(checkpoint.getParent());
  }

  private static String refusal(String from) {
    return Objects.requireNonNull(
        catchThrowableOfType(
                StartException.class,
                () -> StartChecks.require(config(), Optional.of(from), ANSWER))
            .getMessage());
  }

  @Test
  void aCompleteCheckpointIsAccepted() {
    assertThatCode(() -> StartChecks.require(config(), Optional.of(checkpoint.toString()), ANSWER))
        .doesNotThrowAnyException();
    assertThatCode(
            () ->
                StartChecks.require(
                    config(), Optional.of("file://" + checkpoint.resolve("_metadata")), ANSWER))
        .doesNotThrowAnyException();
  }

  @Test
  void aFolderThatIsNoCheckpointIsNamed() {
    assertThat(refusal(dir.toString())).contains(dir.toString(), "_metadata", "chk-");
  }

  @Test
  void unreadableMetadataIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(checkpoint.resolve("_metadata"));
    Path cut = Files.createDirectory(dir.resolve("chk-1"));
    Files.write(cut.resolve("_metadata"), Arrays.copyOf(whole, whole.length / 2));
    assertThat(refusal(cut.toString())).contains(cut + " cannot be read", "older one");

    Files.writeString(cut.resolve("_metadata"), "no metadata at all");
    assertThat(refusal(cut.toString())).contains(cut + " cannot be read", "older one");
  }

  @Test
  void aMissingFileOfACheckpointIsNamed() throws IOException {
    keep();
    try {
      List<Path> files;
      try (Stream<Path> all = Files.walk(folder())) {
        files =
            all.filter(Files::isRegularFile).filter(file -> !file.endsWith("_metadata")).toList();
      }
      assertThat(files).as("files beside the metadata").isNotEmpty();
      for (Path file : files) {
        Files.delete(file);
      }
      assertThat(refusal(checkpoint.toString())).contains("lacks", "of its files", "older one");
    } finally {
      bringBack();
    }
  }

  @Test
  void anotherNumberOfKeyGroupsIsNamed() throws IOException {
    Path other = Files.createDirectory(dir.resolve("chk-1"));
    rewrite(
        other,
        state -> new OperatorState(null, null, state.getOperatorID(), state.getParallelism(), 64));
    assertThat(refusal(other.toString())).contains("64 key groups", "this job has 128");
  }

  @Test
  void aCheckpointOfAnotherJobIsNamed() throws IOException {
    Path other = Files.createDirectory(dir.resolve("chk-1"));
    rewrite(other, state -> new OperatorState(null, null, new OperatorID(), 2, 128));
    assertThat(refusal(other.toString())).contains("no state of the step 'understand'");
  }

  /** The checkpoint's metadata with its steps replaced. */
  private static void rewrite(Path to, UnaryOperator<OperatorState> change) throws IOException {
    CheckpointMetadata metadata;
    try (DataInputStream in =
        new DataInputStream(Files.newInputStream(checkpoint.resolve("_metadata")))) {
      metadata =
          org.apache.flink.runtime.checkpoint.Checkpoints.loadCheckpointMetadata(
              in, StartITCase.class.getClassLoader(), checkpoint.toString());
    }
    try (DataOutputStream out =
        new DataOutputStream(Files.newOutputStream(to.resolve("_metadata")))) {
      org.apache.flink.runtime.checkpoint.Checkpoints.storeCheckpointMetadata(
          new CheckpointMetadata(
              metadata.getCheckpointId(),
              metadata.getOperatorStates().stream().map(change).toList(),
              List.of()),
          out);
    }
  }

  @Test
  void allProblemsStandInOneMessage() {
    EverwatchConfig config = config("topics.frames", "nowhere", "kafka.max.request.size", "1000");
    assertThatExceptionOfType(StartException.class)
        .isThrownBy(() -> StartChecks.require(config, Optional.of(dir.toString()), ANSWER))
        .withMessageContaining("4 problems")
        .withMessageContaining("no topic nowhere")
        .withMessageContaining("max.request.size")
        .withMessageContaining("_metadata");
  }

  @Test
  void theChecksCanBeTurnedOff() {
    EverwatchConfig config = config("topics.frames", "nowhere", "preflight", "false");
    assertThat(StartChecks.require(config, Optional.of(dir.toString()), ANSWER))
        .singleElement()
        .asString()
        .contains("preflight is off");
  }

  @Test
  void stateOfANewerReleaseEndsTheJobWithOneMessage() throws Exception {
    keep();
    try {
      raiseLayout();
      assertThat(failure(config(), Optional.of(checkpoint)))
          .isInstanceOf(StartException.class)
          .hasMessageContaining("the job cannot start: state of a stream in layout 99")
          .hasMessageContaining("start the release that wrote it");
    } finally {
      bringBack();
    }
  }

  @Test
  void aModelThatIsMissingWhereTheJobRunsEndsItWithOneMessage() throws Exception {
    assertThat(failure(config("model", "/no/such/model"), Optional.empty()))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("/no/such/model");
  }

  /** What the job fails with for good; one that is restarted for ever does not come to that. */
  private Throwable failure(EverwatchConfig config, Optional<Path> restore) throws Exception {
    try (LocalJob job = LocalJob.start(config, dir.resolve("flink"), 0, restore)) {
      job.ended().get(LIMIT_SECONDS, TimeUnit.SECONDS);
      throw new AssertionError("the job ended by itself");
    } catch (ExecutionException e) {
      return Objects.requireNonNull(e.getCause());
    }
  }

  /** In the checkpoint, the state of streams claims a layout that only a later release has. */
  private static void raiseLayout() throws IOException {
    byte[] name =
        "io.everwatch.operators.flink.StoredStreamSerializer$SnapshotOfStreams"
            .getBytes(StandardCharsets.UTF_8);
    int raised = 0;
    try (Stream<Path> files = Files.walk(folder())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        for (int at = find(bytes, name, 0); at >= 0; at = find(bytes, name, at + 1)) {
          int version = at + name.length + Integer.BYTES; // behind that of the snapshot itself
          assertThat(bytes[version + 3]).isBetween((byte) 1, (byte) 50);
          bytes[version + 3] = 99;
          raised++;
        }
        Files.write(file, bytes);
      }
    }
    assertThat(raised).isPositive();
  }

  private static int find(byte[] bytes, byte[] wanted, int from) {
    for (int at = from; at + wanted.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
        return at;
      }
    }
    return -1;
  }
}
