// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ExceptionUtils;

/** The job on a cluster inside this process. */
public final class LocalJob implements AutoCloseable {
  private static final long STOP_SECONDS = 30;

  private final JobClient client;
  private final CompletableFuture<?> ended;
  private final URI rest;

  private LocalJob(JobClient client, URI rest) {
    this.client = client;
    this.rest = rest;
    this.ended =
        client
            .getJobExecutionResult()
            .exceptionally(
                failure -> {
                  throw new CompletionException(reason(failure));
                });
  }

  /** Of what no restart mends, the reason alone: Flink wraps it six times. */
  private static Throwable reason(Throwable failure) {
    ClassLoader loader = LocalJob.class.getClassLoader();
    return ExceptionUtils.findThrowableSerializedAware(
            failure, SuppressRestartsException.class, loader)
        .map(Throwable::getCause)
        .<Throwable>map(cause -> new StartException(String.valueOf(cause.getMessage()), failure))
        .orElse(failure);
  }

  /**
   * Starts cluster and job; returns when the job is submitted.
   *
   * @param temporary directory of its own, removed by the caller afterwards
   * @param uiPort of Flink's web interface; 0 = none
   * @param restore checkpoint to begin with
   */
  public static LocalJob start(
      EverwatchConfig config, Path temporary, int uiPort, Optional<Path> restore) throws Exception {
    Configuration flink = FlinkSettings.ofLocalCluster(config, temporary, uiPort);
    int port = uiPort;
    if (uiPort == 0) {
      port = freePort();
      // Taken meanwhile, it takes any other: then nobody finds its figures, but the job runs.
      flink.set(RestOptions.BIND_PORT, port + ",0");
    }
    restore.ifPresent(
        path -> flink.set(StateRecoveryOptions.SAVEPOINT_PATH, Checkpoints.uri(path)));
    StreamExecutionEnvironment environment =
        uiPort > 0
            ? StreamExecutionEnvironment.createLocalEnvironmentWithWebUI(flink)
            : StreamExecutionEnvironment.createLocalEnvironment(
                config.get(ConfigKeys.PARALLELISM), flink);
    EverwatchTopology.build(environment, config);
    return new LocalJob(
        environment.executeAsync("everwatch"), URI.create("http://localhost:" + port));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Flink's REST interface, on this machine only. */
  public URI rest() {
    return rest;
  }

  /** Of the running job. */
  JobClient client() {
    return client;
  }

  /**
   * Completes when the job ends by itself, exceptionally when it failed for good: with a {@link
   * StartException} when no restart would mend it.
   */
  public CompletableFuture<?> ended() {
    return ended;
  }

  /** Whether all of it runs. */
  public JobStatus status() throws InterruptedException {
    try {
      return client.getJobStatus().get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return JobStatus.FAILED; // its cluster is gone
    }
  }

  /** Cancels the job and waits until its cluster is gone; the last checkpoint stays. */
  @Override
  public void close() {
    if (ended.isDone()) {
      return;
    }
    try {
      client.cancel().get(STOP_SECONDS, TimeUnit.SECONDS);
      ended.handle((result, cancelled) -> null).get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "the job did not stop within %d s; end the process".formatted(STOP_SECONDS), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
