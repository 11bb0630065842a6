// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import io.everwatch.job.demo.Demo;
import io.everwatch.job.demo.DemoOptions;
import io.everwatch.job.demo.DemoOutput;
import io.everwatch.job.demo.DemoSummary;
import io.everwatch.schemas.avro.TextEvent;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** {@code everwatch demo} in this JVM, until closed. */
final class RunningDemo implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private final CompletableFuture<URI> wall = new CompletableFuture<>();
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final CompletableFuture<DemoSummary> end;

  /**
   * @param dir a directory of its own
   */
  static RunningDemo start(int cameras, Path dir) {
    return new RunningDemo(cameras, dir);
  }

  private RunningDemo(int cameras, Path dir) {
    DemoOptions options =
        new DemoOptions(cameras, Optional.empty(), 3, Map.of(), 0, Optional.of(0), "test");
    Demo demo = new Demo(options, new Output(), stopped::get);
    end =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return demo.run(dir);
              } catch (Exception e) {
                wall.completeExceptionally(e);
                throw new IllegalStateException("the demo failed", e);
              }
            },
            task -> new Thread(task, "demo").start());
  }

  /** Where its wall is, once it is served. */
  String wall() throws Exception {
    return wall.get(LIMIT.toSeconds(), TimeUnit.SECONDS).toString();
  }

  @Override
  public void close() throws Exception {
    stopped.set(true);
    end.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  private final class Output implements DemoOutput {
    @Override
    public void progress(String line) {}

    @Override
    public void wall(URI address) {
      wall.complete(address);
    }

    @Override
    public void event(TextEvent event, long lagMillis) {}

    @Override
    public void summary(DemoSummary summary) {}
  }
}
