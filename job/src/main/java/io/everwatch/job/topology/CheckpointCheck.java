// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.core.fs.UnsupportedFileSystemSchemeException;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.state.IncrementalRemoteKeyedStateHandle;
import org.apache.flink.runtime.state.StateObject;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;

/** Whether a job can begin with a checkpoint or savepoint, as far as its metadata tells. */
final class CheckpointCheck {
  /** A metadata file names at most so many files before it is enough to have looked at some. */
  private static final int MOST_FILES = 10_000;

  private static final OperatorID UNDERSTAND =
      new OperatorID(StreamGraphHasherV2.generateUserSpecifiedHash(EverwatchTopology.UNDERSTAND));

  private static final String METADATA = "_metadata";
  private static final String OLDER = "; begin with an older one";

  private CheckpointCheck() {}

  /**
   * What is wrong with it; empty when nothing is.
   *
   * @param checkpoint path or URI of its folder, or of the metadata file in it
   */
  static Optional<String> problem(String checkpoint) {
    Path metadata = new Path(Checkpoints.uri(checkpoint));
    if (!metadata.getName().equals(METADATA)) {
      metadata = new Path(metadata, METADATA);
    }
    try {
      return problem(checkpoint, read(metadata));
    } catch (FileNotFoundException e) {
      return Optional.of(
          "%s holds no complete checkpoint: it has no file %s; expected the folder of a checkpoint (chk-…)"
                  .formatted(checkpoint, METADATA)
              + " or savepoint");
    } catch (UnsupportedFileSystemSchemeException e) {
      return Optional.empty(); // this process cannot look there; the cluster's may
    } catch (IOException | RuntimeException e) {
      return Optional.of(
          "checkpoint %s cannot be read (%s); expected metadata that Flink wrote"
                  .formatted(checkpoint, e.getMessage())
              + OLDER);
    }
  }

  private static CheckpointMetadata read(Path metadata) throws IOException {
    try (DataInputStream in = new DataInputStream(metadata.getFileSystem().open(metadata))) {
      return org.apache.flink.runtime.checkpoint.Checkpoints.loadCheckpointMetadata(
          in, CheckpointCheck.class.getClassLoader(), metadata.getParent().toString());
    }
  }

  private static Optional<String> problem(String checkpoint, CheckpointMetadata metadata)
      throws IOException {
    Optional<OperatorState> understand =
        metadata.getOperatorStates().stream()
            .filter(state -> state.getOperatorID().equals(UNDERSTAND))
            .findFirst();
    if (understand.isEmpty()) {
      return Optional.of(
          "checkpoint %s has no state of the step '%s'; expected one of an Everwatch job; check the path"
              .formatted(checkpoint, EverwatchTopology.UNDERSTAND));
    }
    int groups = understand.get().getMaxParallelism();
    if (groups != FlinkSettings.MAX_PARALLELISM) {
      return Optional.of(
          "checkpoint %s was taken with %d key groups (maximal parallelism), this job has %d, and Flink"
                  .formatted(checkpoint, groups, FlinkSettings.MAX_PARALLELISM)
              + " cannot change that number; begin with one of a job with "
              + FlinkSettings.MAX_PARALLELISM
              + ", or without a checkpoint");
    }
    List<Path> missing = missing(metadata);
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "checkpoint %s lacks %d of its files (first: %s); expected all of them where they were written"
                    .formatted(checkpoint, missing.size(), missing.get(0))
                + OLDER
                + ", or bring them back");
  }

  private static List<Path> missing(CheckpointMetadata metadata) throws IOException {
    Set<Path> files = new LinkedHashSet<>();
    metadata.getOperatorStates().stream()
        .flatMap(operator -> operator.getStates().stream())
        .flatMap(CheckpointCheck::parts)
        .flatMap(CheckpointCheck::handles)
        .flatMap(handle -> handle.maybeGetPath().stream())
        .limit(MOST_FILES)
        .forEach(files::add);
    List<Path> missing = new ArrayList<>();
    for (Path file : files) {
      FileSystem system = file.getFileSystem();
      if (!system.exists(file)) {
        missing.add(file);
      }
    }
    return missing;
  }

  private static Stream<StateObject> parts(OperatorSubtaskState state) {
    return Stream.of(
            state.getManagedKeyedState(),
            state.getRawKeyedState(),
            state.getManagedOperatorState(),
            state.getRawOperatorState())
        .flatMap(parts -> parts.stream());
  }

  private static Stream<StreamStateHandle> handles(StateObject part) {
    if (part instanceof IncrementalRemoteKeyedStateHandle incremental) {
      return Stream.concat(
          Stream.of(incremental.getMetaDataStateHandle()),
          Stream.concat(
                  incremental.getSharedState().stream(), incremental.getPrivateState().stream())
              .map(file -> file.getHandle()));
    }
    return part instanceof StreamStateHandle handle ? Stream.of(handle) : Stream.empty();
  }
}
