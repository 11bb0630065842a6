// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.flink.RocksDbOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.state.rocksdb.RocksDBOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rocksdb.ColumnFamilyOptions;

class FlinkSettingsTest {
  @Test
  void stateLiesInRocksDbAndIsUploadedInIncrements() {
    Configuration flink = FlinkSettings.ofJob(EverwatchConfig.of("brokers", "a:1"));

    assertThat(flink.get(StateBackendOptions.STATE_BACKEND)).isEqualTo("rocksdb");
    assertThat(flink.get(CheckpointingOptions.INCREMENTAL_CHECKPOINTS)).isTrue();
    assertThat(flink.get(RocksDBOptions.OPTIONS_FACTORY)).isEqualTo(RocksDbOptions.class.getName());
    assertThat(flink.get(PipelineOptions.MAX_PARALLELISM)).isEqualTo(128);
    assertThat(flink.get(CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION))
        .isEqualTo(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    assertThat(flink.getOptional(CheckpointingOptions.ENABLE_UNALIGNED))
        .as("also where the cluster's own configuration says otherwise")
        .contains(false);
  }

  @Test
  void whatTheConfigurationSaysReachesFlink() {
    Configuration flink =
        FlinkSettings.ofLocalCluster(
            EverwatchConfig.of(
                "brokers", "a:1",
                "checkpoint.interval", "3 s",
                "checkpoint.dir", "/tmp/somewhere",
                "state.backend", "hashmap"),
            Path.of("here"),
            0);

    assertThat(flink.get(CheckpointingOptions.CHECKPOINTING_INTERVAL))
        .isEqualTo(Duration.ofSeconds(3));
    assertThat(flink.get(CheckpointingOptions.CHECKPOINTS_DIRECTORY))
        .isEqualTo("file:///tmp/somewhere/everwatch");
    assertThat(flink.get(StateBackendOptions.STATE_BACKEND)).isEqualTo("hashmap");
  }

  @ParameterizedTest
  @CsvSource({
    "10 s, 60 s, 3, 18",
    "10 s, 60 s, 10, 60",
    "2 s, 60 s, 3, 90",
    "10 s, 0 s, 3, 16", // a snapshot with every checkpoint
    "100 ms, 24 h, 100, 500" // within bounds
  })
  void rocksDbMergesWhenItsFilesHoldTheFactorOfWhatIsLive(
      String checkpoints, String snapshots, String factor, int trigger) {
    Configuration flink =
        FlinkSettings.ofJob(
            EverwatchConfig.of(
                "brokers", "a:1",
                "checkpoint.interval", checkpoints,
                "snapshot.interval", snapshots,
                "state.space-factor", factor));

    assertThat(flink.get(RocksDbOptions.MERGE_TRIGGER)).isEqualTo(trigger);
    try (ColumnFamilyOptions options = new ColumnFamilyOptions()) {
      List<AutoCloseable> handles = new ArrayList<>();
      new RocksDbOptions().configure(flink).createColumnOptions(options, handles);
      assertThat(options.level0FileNumCompactionTrigger()).isEqualTo(trigger);
      assertThat(options.level0SlowdownWritesTrigger()).isGreaterThan(10 * trigger);
      handles.forEach(FlinkSettingsTest::close);
    }
  }

  private static void close(AutoCloseable handle) {
    try (handle) {
      assertThat(handle).isNotNull();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyStepHasItsUidForEver() {
    EverwatchConfig config = EverwatchConfig.of("brokers", "a:1");
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.getExecutionEnvironment(FlinkSettings.ofJob(config));
    EverwatchTopology.build(environment, config);

    Map<String, String> uids =
        environment.getStreamGraph(false).getStreamNodes().stream()
            .filter(node -> node.getTransformationUID() != null)
            .collect(
                Collectors.toMap(
                    node -> String.valueOf(node.getTransformationUID()),
                    node -> String.valueOf(node.getOperatorName())));

    // State of every released version is found by these; they never change.
    assertThat(uids.keySet())
        .containsExactlyInAnyOrder(
            "frames",
            "commands",
            "understand",
            "text",
            "Sink Committer: text",
            "dead-letters",
            "Sink Committer: dead-letters");
    assertThat(environment.getStreamGraph(false).getStreamNodes())
        .as("no step without a uid")
        .allSatisfy(node -> assertThat(node.getTransformationUID()).isNotNull());
  }
}
