// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.EverwatchConfig;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A bounded job over a checkpoint, on a cluster inside this process, one subtask of each operator:
 * restores once, makes no checkpoint of its own, is not tried again.
 */
final class RestoredJob implements AutoCloseable {
  private static final long STOP_SECONDS = 30;

  private final JobClient client;
  private final CompletableFuture<?> ended;

  private RestoredJob(JobClient client) {
    this.client = client;
    ended = client.getJobExecutionResult();
  }

  /**
   * An environment that begins with this checkpoint.
   *
   * @param config of the job that wrote it
   */
  static StreamExecutionEnvironment environment(
      EverwatchConfig config, CheckpointLocation checkpoint, Path temporary) {
    Configuration flink = FlinkSettings.ofLocalCluster(config, temporary, 0);
    flink.set(CoreOptions.DEFAULT_PARALLELISM, 1);
    flink.set(TaskManagerOptions.NUM_TASK_SLOTS, 1);
    flink.removeConfig(CheckpointingOptions.CHECKPOINTING_INTERVAL);
    flink.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
    flink.set(StateRecoveryOptions.SAVEPOINT_PATH, checkpoint.uri());
    // The sinks' state stays where it is.
    flink.set(StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE, true);
    return StreamExecutionEnvironment.createLocalEnvironment(1, flink);
  }

  static RestoredJob start(StreamExecutionEnvironment environment, String name) throws Exception {
    return new RestoredJob(environment.executeAsync(name));
  }

  /** Waits for its end, which its results have told already. */
  void await() throws Exception {
    ended.get(STOP_SECONDS, TimeUnit.SECONDS);
  }

  /** Cancels it when it still runs, and waits until its cluster is gone. */
  @Override
  public void close() throws Exception {
    if (!ended.isDone()) {
      try {
        client.cancel().get(STOP_SECONDS, TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException | IllegalStateException e) {
        // It has just ended, and its cluster with it; if not, the wait below says so.
      }
    }
    ended.handle((result, cancelled) -> 0).get(STOP_SECONDS, TimeUnit.SECONDS);
  }
}
