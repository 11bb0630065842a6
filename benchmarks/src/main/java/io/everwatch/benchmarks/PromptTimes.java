// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.everwatch.kernels.SparseCounters;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.EngineMetrics;
import io.everwatch.operators.engine.EngineOptions;
import io.everwatch.operators.engine.Engines;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.Seat;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What chunks with known answers cost in one prefill, dense and over chosen blocks, and one by one:
 * a log that is run again (decision 12), a backlog that is made up for (decision 13). Processor
 * time of the process, median of the repetitions behind one to get warm.
 *
 * <p>Arguments: model, device, threads, side of the pictures in pixels, repetitions, then cases of
 * {@code chunks/chunks with pictures}, the newest ones; e.g. {@code everwatch-tiny cpu 1 168 5
 * 60/16 8/8}. One by one all have pictures, since all were looked at. A chunk has two pictures and
 * an answer of five words.
 */
public final class PromptTimes {
  private static final String ANSWER = " car".repeat(5);
  private static final long PATIENCE_MINUTES = 30;

  private final Engine engine;
  private final List<RoundInput> chunks = new ArrayList<>();
  private final int pictures;
  private int sessions;

  private PromptTimes(Engine engine, int side, int count, int pictures) {
    this.engine = engine;
    this.pictures = pictures;
    for (int i = 0; i < count; i++) {
      List<EncodedFrame> pair = List.of(picture(side, 2L * i), picture(side, 2L * i + 1));
      chunks.add(new RoundInput(i, pair, false).answered(ANSWER));
    }
  }

  private static EncodedFrame picture(int side, long seed) {
    byte[] pixels = new byte[3 * side * side];
    new Random(seed).nextBytes(pixels);
    return new EncodedFrame(Encoding.RGB24, side, side, pixels);
  }

  public static void main(String[] args) throws InterruptedException {
    if (args.length < 6) {
      throw new IllegalArgumentException(
          "%d arguments; expected model, device, threads, side of the pictures, repetitions, and cases of chunks/chunks with pictures; e.g. everwatch-tiny cpu 1 168 5 60/16"
              .formatted(args.length));
    }
    System.out.println(
        "| chunks | with pictures | how | rows | CPU ms | density | vision ms | prefill ms |");
    System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (String text : Arrays.copyOfRange(args, 5, args.length)) {
      String[] numbers = text.split("/", -1);
      int count = Integer.parseInt(numbers[0]);
      int pictures = Integer.parseInt(numbers[1]);
      for (String sparse : List.of("never", "always")) {
        EngineOptions options =
            EngineOptions.builder(args[0])
                .device(args[1])
                .threads(Integer.parseInt(args[2]))
                .overrides(
                    Map.of(
                        "sparse_prefill", sparse,
                        "visual_rounds", "" + Math.max(16, pictures),
                        "text_rounds", "" + Math.max(16, pictures)))
                .build();
        try (Engine engine = Engines.open(options)) {
          PromptTimes times = new PromptTimes(engine, Integer.parseInt(args[3]), count, pictures);
          int repetitions = Integer.parseInt(args[4]);
          String mode = sparse.equals("never") ? "dense" : "sparse";
          times.report("one prefill, " + mode, repetitions, true);
          if (sparse.equals("never")) {
            times.report("one by one, dense", repetitions, false);
          }
        }
      }
    }
  }

  private void report(String how, int repetitions, boolean together) throws InterruptedException {
    long[] nanos = new long[repetitions];
    EngineMetrics before = engine.metrics();
    for (int i = -1; i < repetitions; i++) { // the first is to get warm
      if (i == 0) {
        before = engine.metrics();
      }
      long start = cpuNanos();
      run(together);
      if (i >= 0) {
        nanos[i] = cpuNanos() - start;
      }
    }
    EngineMetrics after = engine.metrics();
    SparseCounters sparse = after.sparse().since(before.sparse());
    Arrays.sort(nanos);
    System.out.println(
        String.format(
            Locale.ROOT,
            "| %d | %d | %s | %d | %.0f | %s | %.0f | %.0f |",
            chunks.size(),
            pictures,
            how,
            (after.prompts() - before.prompts()) / repetitions,
            nanos[repetitions / 2] / 1e6,
            sparse.causalCells() == 0 ? "-" : "%.2f".formatted(sparse.density()),
            (after.stages().vision() - before.stages().vision()) / 1e6 / repetitions,
            (after.stages().prefill() - before.stages().prefill()) / 1e6 / repetitions));
  }

  private void run(boolean together) throws InterruptedException {
    LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
    try (Seat seat = engine.attach(results::addAll)) {
      StreamSession session = seat.create("stream-" + sessions++, engine.settings());
      int last = chunks.size() - 1;
      if (together) {
        List<RoundInput> earlier = new ArrayList<>(chunks.subList(0, last));
        for (int i = 0; i < chunks.size() - pictures; i++) {
          earlier.set(i, earlier.get(i).withoutFrames());
        }
        seat.submit(session, chunks.get(last).after(earlier));
        await(results);
      } else {
        for (RoundInput chunk : chunks) {
          seat.submit(session, chunk);
          await(results);
        }
      }
      seat.release(session);
    }
  }

  private static void await(LinkedBlockingQueue<RoundResult> results) throws InterruptedException {
    RoundResult result = results.poll(PATIENCE_MINUTES, TimeUnit.MINUTES);
    if (result == null || result.outcome() instanceof RoundResult.Failed) {
      throw new IllegalStateException("no answer: " + result);
    }
  }

  private static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }
}
