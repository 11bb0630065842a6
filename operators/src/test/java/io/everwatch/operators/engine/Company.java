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

/** Streams of a real network on a real back end, and what they come to, bit for bit. */
final class Company {
  static final Map<String, String> SETTINGS =
      Map.of(
          "text_rounds", "3",
          "visual_rounds", "3",
          "text_sink", "4",
          "text_window", "6",
          "max_new_tokens", "6",
          "instruction", "Report every event.");

  private Company() {}

  /** Of a tiny model on a GPU; small pictures, four to eight vision tokens a second. */
  static EngineOptions.Builder onGpu() {
    Map<String, String> settings = new HashMap<>(SETTINGS);
    settings.put("min_pixels", "784");
    return EngineOptions.builder("src/test/golden/qwen2_5_vl/tiny_a")
        .device("cuda")
        .threads(1)
        .workers(1)
        .kvBytes(16 << 20)
        .overrides(settings);
  }

  /** Texts and the bytes of the last snapshot. */
  record Run(List<String> texts, List<byte[]> pieces) {
    void requireSame(Run other, String what) {
      assertThat(other.texts).as(what).isEqualTo(texts);
      assertThat(other.pieces).as(what).usingElementComparator(Arrays::compare).isEqualTo(pieces);
    }
  }

  /** Sizes differ from stream to stream, so that a batch is ragged. */
  static RoundInput chunk(int stream, long chunk) {
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
  static Map<String, Run> run(Engine engine, int from, int to, int chunks, long seed)
      throws Exception {
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
        if (said.size() < chunks) {
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
}
