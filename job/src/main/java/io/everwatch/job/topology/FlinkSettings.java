// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.config.StateBackendKind;
import io.everwatch.operators.flink.RocksDbOptions;
import io.everwatch.operators.flink.SpreadRegistry;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.state.rocksdb.RocksDBOptions;

/** Flink's configuration for a configuration of ours. */
public final class FlinkSettings {
  /** Number of key groups; fixed for the life of the state. */
  public static final int MAX_PARALLELISM = SpreadRegistry.KEY_GROUPS;

  private static final String LOOPBACK = "localhost";

  /** Of a state in RocksDB: each is looked into by a read. */
  private static final int MOST_FILES = 500;

  private FlinkSettings() {}

  /** What belongs to the job itself, wherever it runs. */
  public static Configuration ofJob(EverwatchConfig config) {
    Configuration flink = new Configuration();
    flink.set(CoreOptions.DEFAULT_PARALLELISM, config.get(ConfigKeys.PARALLELISM));
    flink.set(PipelineOptions.MAX_PARALLELISM, MAX_PARALLELISM);
    // Kryo would take whatever it is given and fail at the first restore after a change.
    flink.set(PipelineOptions.GENERIC_TYPES, false);
    state(flink, config);
    flink.set(
        CheckpointingOptions.CHECKPOINTING_INTERVAL, config.get(ConfigKeys.CHECKPOINT_INTERVAL));
    flink.set(CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
    // A barrier that overtakes text puts it into the next transaction, and which text a checkpoint
    // covers would no longer follow from when it was given out.
    flink.set(CheckpointingOptions.ENABLE_UNALIGNED, false);
    flink.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    Checkpoints.of(config)
        .ifPresent(dir -> flink.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, dir));
    // For ever, but not in a tight loop: a broker or a device may be away for a while.
    flink.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
    flink.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF,
        Duration.ofSeconds(1));
    flink.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF,
        Duration.ofSeconds(30));
    return flink;
  }

  private static void state(Configuration flink, EverwatchConfig config) {
    if (config.get(ConfigKeys.STATE_BACKEND) == StateBackendKind.ROCKSDB) {
      flink.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
      flink.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
      flink.set(RocksDBOptions.OPTIONS_FACTORY, RocksDbOptions.class.getName());
      flink.set(RocksDbOptions.MERGE_TRIGGER, mergeTrigger(config));
    } else {
      flink.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    }
  }

  /** Each checkpoint adds a file, and what is in it is live for a snapshot interval. */
  private static int mergeTrigger(EverwatchConfig config) {
    double checkpoints =
        (double) config.get(ConfigKeys.SNAPSHOT_INTERVAL).toMillis()
            / config.get(ConfigKeys.CHECKPOINT_INTERVAL).toMillis();
    long wanted = Math.round(config.get(ConfigKeys.SPACE_FACTOR) * checkpoints);
    return (int)
        Math.min(MOST_FILES, Math.max(RocksDbOptions.MERGE_TRIGGER.defaultValue(), wanted));
  }

  /**
   * Besides, for a cluster of one process.
   *
   * @param temporary directory of its own, for spilled data and RocksDB
   * @param uiPort of Flink's web interface; 0 = none
   */
  public static Configuration ofLocalCluster(EverwatchConfig config, Path temporary, int uiPort) {
    Configuration flink = ofJob(config);
    flink.set(TaskManagerOptions.NUM_TASK_SLOTS, config.get(ConfigKeys.PARALLELISM));
    flink.set(CoreOptions.TMP_DIRS, temporary.toString());
    // Flink asks nobody who they are and runs what it is sent, and by default listens everywhere.
    flink.set(RestOptions.ADDRESS, LOOPBACK);
    flink.set(RestOptions.BIND_ADDRESS, LOOPBACK);
    flink.set(JobManagerOptions.BIND_HOST, LOOPBACK);
    flink.set(TaskManagerOptions.BIND_HOST, LOOPBACK);
    // What a full heap leaves behind in the process nobody knows; the next run goes on from state.
    flink.set(TaskManagerOptions.KILL_ON_OUT_OF_MEMORY, true);
    // A page in a browser of this machine may look at the web interface, but not send it a job.
    flink.set(WebOptions.SUBMIT_ENABLE, false);
    // Two shuffles of a few frames a second; the default of 64 MiB is pinned from the start.
    flink.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(16));
    flink.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(16));
    flink.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(128));
    if (uiPort > 0) {
      flink.set(RestOptions.PORT, uiPort);
      flink.set(RestOptions.BIND_PORT, Integer.toString(uiPort));
    } else {
      flink.set(RestOptions.BIND_PORT, "0");
    }
    return flink;
  }
}
