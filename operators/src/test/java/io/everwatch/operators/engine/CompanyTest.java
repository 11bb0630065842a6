// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stream of a real network on a real back end: alone, in company, stopped and restored. */
@Timeout(300)
class CompanyTest {
  private static final int CHUNKS = 8;
  private static final Map<String, String> SETTINGS =
      Map.of(
          "text_rounds", "3",
          "visual_rounds", "3",
          "text_sink", "4",
          "text_window", "6",
          "max_new_tokens", "6",
          "instruction", "Report every event.");

  /** Texts and the bytes of the last snapshot. */
  private record Run(List<String> texts, List<byte[]> pieces) {
    void requireSame(Run other, String what) {
      assertThat(other.texts).as(what).isEqualTo(texts);
      assertThat(other.pieces).as(what).usingElementComparator(Arrays::compare).isEqualTo(pieces);
    }
  }

  private static EngineOptions options(String model, boolean plain) {
    return EngineOptions.builder(model)
        .threads(2)
        .workers(2)
        .plainProducts(plain)
        .kvBytes(64 << 20)
        .overrides(SETTINGS)
        .build();
  }

  /** Sizes differ from stream to stream, so that a batch is ragged. */
  private static RoundInput chunk(int stream, long chunk) {
    int height = 28 * (2 + stream % 2);
    int width = 28 * (2 + stream % 3);
    List<EncodedFrame> frames = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      byte[] pixels = new byte[3 * height * width];
      new Random(stream * 1000L + chunk * 2 + i).nextBytes(pixels);
      frames.add(new EncodedFrame(Encoding.RGB24, width, height, pixels));
    }
    return new RoundInput(chunk, frames, false);
  }

  /** Runs streams together; which is submitted next, and how many at once, is drawn. */
  private static Map<String, Run> run(Engine engine, int from, int to, long seed) throws Exception {
    Random random = new Random(seed);
    LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
    Map<StreamSession, Integer> number = new HashMap<>();
    Map<StreamSession, List<String>> texts = new HashMap<>();
    try (Seat seat = engine.attach(results::addAll)) {
      List<StreamSession> idle = new ArrayList<>();
      for (int s = from; s < to; s++) {
        StreamSettings settings = engine.settings();
        StreamSession session = seat.create("camera-" + s, settings);
        number.put(session, s);
        texts.put(session, new ArrayList<>());
        idle.add(session);
      }
      int running = 0;
      while (!idle.isEmpty() || running > 0) {
        while (!idle.isEmpty() && (running == 0 || random.nextInt(5) > 0)) {
          StreamSession next = idle.remove(random.nextInt(idle.size()));
          seat.submit(next, chunk(number.getOrDefault(next, 0), next.rounds()));
          running++;
        }
        RoundResult result = results.poll(60, TimeUnit.SECONDS);
        assertThat(result).isNotNull();
        running--;
        List<String> said = TestEngine.of(texts, result.session());
        said.add(TestEngine.text(result));
        if (said.size() < CHUNKS) {
          idle.add(result.session());
        }
      }
      Map<String, Run> runs = new HashMap<>();
      for (StreamSession session : number.keySet()) {
        runs.put(
            session.streamId(),
            new Run(
                TestEngine.of(texts, session),
                seat.snapshot(session).get(60, TimeUnit.SECONDS).pieces()));
      }
      return runs;
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny_a,false,64", "tiny_a,true,8", "tiny_b,false,16"})
  void changesNoBit(String checkpoint, boolean plain, int most) throws Exception {
    String model = "src/test/golden/qwen2_5_vl/" + checkpoint;
    Map<String, Run> alone = new HashMap<>();
    try (Engine engine = Engines.open(options(model, plain))) {
      for (int s = 0; s < 6; s++) {
        alone.putAll(run(engine, s, s + 1, 1));
      }
    }
    try (Engine engine = Engines.open(options(model, plain))) {
      for (int streams : new int[] {2, 8, most}) {
        Map<String, Run> together = run(engine, 0, streams, streams);
        for (int s = 0; s < Math.min(6, streams); s++) {
          String name = "camera-" + s;
          TestEngine.of(alone, name)
              .requireSame(TestEngine.of(together, name), name + " among " + streams);
        }
      }
    }
  }

  @Test
  void doesTheNumberOfThreadsChangeNoBit() throws Exception {
    EngineOptions two = options("src/test/golden/qwen2_5_vl/tiny_a", false);
    try (Engine first = Engines.open(two);
        Engine second = Engines.open(two.toBuilder().threads(1).workers(1).build())) {
      Map<String, Run> expected = run(first, 0, 4, 1);
      run(second, 0, 4, 2)
          .forEach((name, run) -> TestEngine.of(expected, name).requireSame(run, name));
      assertThat(second.numericsIdentity()).isEqualTo(first.numericsIdentity());
    }
  }

  @Test
  void isResumedWithTheSameBitsFromAnySnapshot() throws Exception {
    EngineOptions options = options("src/test/golden/qwen2_5_vl/tiny_a", false);
    try (Engine engine = Engines.open(options);
        Engine another = Engines.open(options)) {
      Run whole = TestEngine.of(run(engine, 3, 4, 1), "camera-3");
      for (int stop = 0; stop < CHUNKS; stop++) {
        LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
        List<String> texts = new ArrayList<>();
        try (Seat seat = engine.attach(results::addAll);
            Seat next = another.attach(results::addAll)) {
          StreamSession session = seat.create("camera-3", engine.settings());
          for (int c = 0; c < stop; c++) {
            seat.submit(session, chunk(3, c));
            texts.add(TestEngine.text(results.take()));
          }
          SessionSnapshot snapshot =
              SessionSnapshot.ofPieces(seat.snapshot(session).get(60, TimeUnit.SECONDS).pieces());
          StreamSession restored = next.restore(snapshot);
          for (int c = stop; c < CHUNKS; c++) {
            next.submit(restored, chunk(3, c));
            texts.add(TestEngine.text(results.take()));
          }
          whole.requireSame(
              new Run(texts, next.snapshot(restored).get(60, TimeUnit.SECONDS).pieces()),
              "stopped after " + stop);
        }
      }
    }
  }
}
