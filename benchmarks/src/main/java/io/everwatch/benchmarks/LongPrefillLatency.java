// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks;

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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * How long other streams wait for their answers while one long prompt is computed: whole, and in
 * pieces. Each stream answers chunk after chunk with the same number of tokens and begins the next
 * at once; the wait is from the chunk to the answer, of the answers that were awaited while the
 * long prompt was under way.
 *
 * <p>Arguments: model, device, streams, vision rows of the long prompt, pieces (0: no long prompt,
 * as many seconds as the one before took), e.g. {@code everwatch-tiny cpu 32 8192
 * 1048576,0,2048,512}.
 */
public final class LongPrefillLatency {
  private static final int SIDE = 112;
  private static final int ROWS_A_PAIR = 16; // of a picture of that size
  private static final int WORDS = 16;
  private static final int WARM_ROUNDS = 3; // of each stream
  private static final long PATIENCE_MINUTES = 30;

  private final Engine engine;
  private final LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
  private final Map<StreamSession, Long> chunks = new HashMap<>();
  private final Map<StreamSession, Long> asked = new HashMap<>(); // nanoTime of the last chunk
  private final List<EncodedFrame> pictures = new ArrayList<>();

  private LongPrefillLatency(Engine engine) {
    this.engine = engine;
    for (int i = 0; i < 16; i++) {
      byte[] pixels = new byte[3 * SIDE * SIDE];
      new Random(i).nextBytes(pixels);
      pictures.add(new EncodedFrame(Encoding.RGB24, SIDE, SIDE, pixels));
    }
  }

  public static void main(String[] args) throws InterruptedException {
    if (args.length != 5) {
      throw new IllegalArgumentException(
          "%d arguments; expected model, device, streams, rows, pieces; e.g. everwatch-tiny cpu 32 8192 1048576,0,2048,512"
              .formatted(args.length));
    }
    System.out.println(
        "| pieces | long prompt, s | steps | answers | ms an answer, median | 95 % | most |");
    System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
    double seconds = 0;
    for (String piece : args[4].split(",", -1)) {
      int rows = piece.equals("0") ? 0 : Integer.parseInt(args[3]);
      EngineOptions options =
          EngineOptions.builder(args[0])
              .device(args[1])
              .batchRounds(128)
              .overrides(Map.of("prefill_piece", piece, "max_new_tokens", "" + 2 * WORDS))
              .build();
      try (Engine engine = Engines.open(options)) {
        seconds =
            new LongPrefillLatency(engine).run(piece, Integer.parseInt(args[2]), rows, seconds);
      }
    }
  }

  /** Prints a line; seconds that the long prompt took. */
  private double run(String piece, int streams, int rows, double otherwise)
      throws InterruptedException {
    try (Seat seat = engine.attach(results::addAll)) {
      for (int s = 0; s < streams; s++) {
        StreamSession session = seat.create("stream-" + s, engine.settings());
        chunks.put(session, 0L);
        next(seat, session);
      }
      for (int n = 0; n < WARM_ROUNDS * streams; n++) {
        next(seat, take().session());
      }
      EngineMetrics before = engine.metrics();
      long start = System.nanoTime();
      StreamSession asker = seat.create("long", engine.settings());
      if (rows > 0) {
        seat.submit(asker, new RoundInput(0, frames(2 * rows / ROWS_A_PAIR), false).answered(""));
      }
      List<Double> waits = new ArrayList<>();
      boolean going = true;
      while (going) {
        RoundResult result = take();
        double passed = (System.nanoTime() - start) / 1e9;
        if (result.session().equals(asker)) {
          going = false;
        } else {
          waits.add((System.nanoTime() - asked.getOrDefault(result.session(), start)) / 1e6);
          next(seat, result.session());
          going = rows > 0 || passed < otherwise;
        }
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      for (int n = 0; n < streams; n++) { // those that waited when the long prompt was done
        RoundResult result = take();
        waits.add((System.nanoTime() - asked.getOrDefault(result.session(), start)) / 1e6);
      }
      report(piece, seconds, engine.metrics().steps() - before.steps(), waits);
      return seconds;
    }
  }

  private RoundResult take() throws InterruptedException {
    RoundResult result = results.poll(PATIENCE_MINUTES, TimeUnit.MINUTES);
    if (result == null || result.round() < 0) {
      throw new IllegalStateException("no answer: " + result);
    }
    return result;
  }

  private void next(Seat seat, StreamSession session) {
    long chunk = chunks.merge(session, 1L, Long::sum);
    asked.put(session, System.nanoTime());
    seat.submit(session, new RoundInput(chunk, frames(2), false).answered(" car".repeat(WORDS)));
  }

  private List<EncodedFrame> frames(int count) {
    List<EncodedFrame> frames = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      frames.add(pictures.get(i % pictures.size()));
    }
    return frames;
  }

  private static void report(String piece, double seconds, long steps, List<Double> waits) {
    double[] millis = waits.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    System.out.println(
        String.format(
            Locale.ROOT,
            "| %s | %.1f | %d | %d | %.0f | %.0f | %.0f |",
            piece.equals("0") ? "no long prompt" : piece,
            seconds,
            steps,
            millis.length,
            quantile(millis, 0.5),
            quantile(millis, 0.95),
            quantile(millis, 1)));
  }

  private static double quantile(double[] sorted, double share) {
    return sorted.length == 0
        ? Double.NaN
        : sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}
