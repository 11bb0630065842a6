// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.demo;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.topology.LocalJob;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.Engines;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;

/**
 * Embedded broker, the job, N road cameras through real Kafka and two readers, live and committed.
 * Broker and model are started at the same time; the cameras begin when the job runs.
 */
public final class Demo {
  private static final Duration POLL = Duration.ofMillis(100);

  /** After the cameras stopped: how long what they sent may still take, a checkpoint apart. */
  private static final Duration DRAIN = Duration.ofSeconds(5);

  private final DemoOptions options;
  private final DemoOutput output;
  private final BooleanSupplier stopped;

  /**
   * @param stopped asked ten times a second; true ends the demo in order
   */
  public Demo(DemoOptions options, DemoOutput output, BooleanSupplier stopped) {
    this.options = options;
    this.output = output;
    this.stopped = stopped;
  }

  /**
   * Runs until the duration is over or the demo is stopped.
   *
   * @param dir a directory of its own; the caller removes it afterwards
   * @throws Exception when the broker, the job or a camera fails
   */
  public DemoSummary run(Path dir) throws Exception {
    Tally tally = new Tally();
    EverwatchConfig template = configuration(dir);
    CompletableFuture<Engine> model =
        inBackground("model", () -> Engines.shared(template.engineOptions()));
    try (EmbeddedBroker broker =
        timed("broker", () -> EmbeddedBroker.start(dir.resolve("kafka")))) {
      Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(4));
      EverwatchConfig config = template.with("brokers", broker.address(), "embedded broker");
      TextReaderOptions reading = TextReaderOptions.of(broker.address(), TopicNames.TEXT);
      try (LocalJob job =
              timed(
                  "job",
                  () ->
                      LocalJob.start(
                          config, dir.resolve("flink"), options.uiPort(), Optional.empty()));
          TextEventReader live = TextEventReader.open(reading.start(new FromBeginning()));
          CommittedLag committed = new CommittedLag(reading);
          DemoWall wall = DemoWall.start(options, broker.address(), job.rest(), output)) {
        join(model);
        watch(broker, job, live, tally);
        drain(DRAIN.plus(config.get(ConfigKeys.CHECKPOINT_INTERVAL)), live, committed, tally);
        return tally.summary(
            options.cameras(),
            Topics.records(broker.clientProperties(), TopicNames.DEAD_LETTERS),
            committed.lags().percentiles());
      }
    } finally {
      closeWhenLoaded(model);
    }
  }

  private EverwatchConfig configuration(Path dir) {
    List<String> keysAndValues =
        new ArrayList<>(
            List.of(
                "brokers", "localhost:9092", // replaced when the broker has its port
                "group", "everwatch-demo",
                "start", "earliest",
                "checkpoint.interval", "1 s",
                "checkpoint.dir", dir.resolve("checkpoints").toString(),
                "state.backend", "hashmap",
                "recovery.max-outage", "1 min"));
    for (Map.Entry<String, String> setting : options.settings().entrySet()) {
      int at = keysAndValues.indexOf(setting.getKey());
      if (at >= 0 && at % 2 == 0) {
        keysAndValues.set(at + 1, setting.getValue());
      } else {
        keysAndValues.addAll(List.of(setting.getKey(), setting.getValue()));
      }
    }
    return EverwatchConfig.of(keysAndValues.toArray(String[]::new));
  }

  private void watch(EmbeddedBroker broker, LocalJob job, TextEventReader live, Tally tally)
      throws Exception {
    output.progress(
        "%d camera%s: live".formatted(options.cameras(), options.cameras() == 1 ? "" : "s"));
    long end = System.nanoTime() + options.duration().orElse(Duration.ofDays(10_000)).toNanos();
    try (RoadCameras cameras =
        RoadCameras.start(
            broker.clientProperties(), TopicNames.FRAMES, options.cameras(), options.seed())) {
      while (System.nanoTime() - end < 0 && !stopped.getAsBoolean()) {
        show(live.poll(POLL), tally);
        failIfEnded(job.ended(), "the job ended");
        failIfEnded(cameras.failed(), "a camera failed");
      }
    }
  }

  /** What was sent is answered, and what was answered is committed, or the time is over. */
  private void drain(Duration limit, TextEventReader live, CommittedLag committed, Tally tally) {
    long end = System.nanoTime() + limit.toNanos();
    boolean quiet = false;
    while (System.nanoTime() - end < 0 && !(quiet && committed.lags().count() >= tally.timed())) {
      List<ReceivedText> texts = live.poll(Duration.ofMillis(500));
      show(texts, tally);
      quiet = texts.isEmpty();
    }
  }

  private void show(List<ReceivedText> texts, Tally tally) {
    for (ReceivedText text : texts) {
      output.event(text.event(), tally.add(text));
    }
  }

  private static void closeWhenLoaded(CompletableFuture<Engine> model) {
    // Nothing to hear of it: what failed to load has nothing to close.
    CompletableFuture<Void> unused = model.thenAccept(Engine::close);
  }

  private static void failIfEnded(CompletableFuture<?> future, String what) {
    if (future.isDone()) {
      join(future);
      throw new IllegalStateException(what + " by itself; --debug shows more");
    }
  }

  private <T> CompletableFuture<T> inBackground(String name, Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                result.complete(timed(name, work));
              } catch (Exception | Error e) {
                result.completeExceptionally(e);
              }
            },
            "demo-" + name);
    thread.setDaemon(true);
    thread.start();
    return result;
  }

  private <T> T timed(String name, Callable<T> work) throws Exception {
    long start = System.nanoTime();
    output.progress(name + ": starting");
    T result = work.call();
    output.progress("%s: ready after %.1f s".formatted(name, (System.nanoTime() - start) / 1e9));
    return result;
  }

  private static <T> T join(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
