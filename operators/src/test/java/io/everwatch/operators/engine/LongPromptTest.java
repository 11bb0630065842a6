// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.cuda.RequiresDevice;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
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

/** Long prompts of a real network on a real back end: in pieces, alone and in company. */
@Timeout(300)
class LongPromptTest {
  private static final String TINY_A = "src/test/golden/qwen2_5_vl/tiny_a";
  private static final int CHUNKS = 3;

  private static EngineOptions options(String device, boolean plain, String piece) {
    Map<String, String> settings = new HashMap<>(Company.SETTINGS);
    settings.put("min_pixels", "784");
    settings.put("prefill_piece", piece);
    return EngineOptions.builder(TINY_A)
        .device(device)
        .threads(1)
        .workers(1)
        .plainProducts(plain)
        .kvBytes(32 << 20)
        .batchRows(2048)
        .overrides(settings)
        .build();
  }

  /** Texts and rows of a stream. */
  private record Run(List<String> texts, byte[][] rows) {}

  /** The middle one has many frames of 16 vision tokens a pair. */
  static RoundInput chunk(int stream, long chunk, int many) {
    List<EncodedFrame> frames = new ArrayList<>();
    for (int i = 0; i < (chunk == 1 ? many : 2); i++) {
      byte[] pixels = new byte[3 * 112 * 112];
      new Random(stream * 1000L + chunk * 100 + i).nextBytes(pixels);
      frames.add(new EncodedFrame(Encoding.RGB24, 112, 112, pixels));
    }
    return new RoundInput(chunk, frames, false);
  }

  /** Streams {@code [from, to)} side by side. */
  private static Map<Integer, Run> run(EngineOptions options, int from, int to, int many)
      throws Exception {
    LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
    Map<Integer, Run> runs = new HashMap<>();
    try (Engine engine = Engines.open(options);
        Seat seat = engine.attach(results::addAll)) {
      Map<StreamSession, Integer> streams = new HashMap<>();
      Map<Integer, List<String>> texts = new HashMap<>();
      for (int s = from; s < to; s++) {
        StreamSession session = seat.create("camera-" + s, engine.settings());
        streams.put(session, s);
        texts.put(s, new ArrayList<>());
        seat.submit(session, chunk(s, 0, many));
      }
      for (int n = 0; n < CHUNKS * (to - from); n++) {
        RoundResult result = results.poll(120, TimeUnit.SECONDS);
        assertThat(result).as("result %d", n).isNotNull();
        StreamSession session = result.session();
        int stream = TestEngine.of(streams, session);
        TestEngine.of(texts, stream).add(TestEngine.text(result));
        if (session.rounds() < CHUNKS) {
          seat.submit(session, chunk(stream, session.rounds(), many));
        }
      }
      for (Map.Entry<StreamSession, Integer> one : streams.entrySet()) {
        SessionSnapshot snapshot = seat.snapshot(one.getKey()).get(60, TimeUnit.SECONDS);
        runs.put(
            one.getValue(),
            new Run(TestEngine.of(texts, one.getValue()), snapshot.rows(DType.F32)));
      }
      assertThat(engine.metrics().prompts()).isGreaterThan(many * 8L * (to - from));
    }
    return runs;
  }

  private static void requireSame(Run expected, Run run, String what) {
    assertThat(run.texts()).as(what).isEqualTo(expected.texts());
    assertThat(run.rows()).as(what).isDeepEqualTo(expected.rows());
  }

  /**
   * The library's attention has other last bits: how it tiles a product depends on the number of
   * queries. So a cut is part of what is computed, and its place must not depend on anything else.
   */
  @Test
  void cutsOfADensePrefillChangeNoBitInPlainJava() throws Exception {
    Run whole = TestEngine.of(run(options("cpu", true, "0"), 0, 1, 60), 0);
    Run cut = TestEngine.of(run(options("cpu", true, "128"), 0, 1, 60), 0);
    requireSame(whole, cut, "in pieces of 128");
  }

  @Test
  void aPromptInPiecesIsTheSameAloneAndInCompany() throws Exception {
    EngineOptions options = options("cpu", false, "128");
    Run alone = TestEngine.of(run(options, 0, 1, 40), 0);
    requireSame(alone, TestEngine.of(run(options, 0, 4, 40), 0), "among four");
  }

  @Test
  void aSparsePromptIsTheSameAloneAndInCompany() throws Exception {
    sparse("cpu", 40, 4);
  }

  @Test
  @RequiresDevice
  void aSparsePromptIsTheSameOnAGpuAloneAndInCompany() throws Exception {
    sparse("cuda", 24, 2);
  }

  private static void sparse(String device, int many, int company) throws Exception {
    EngineOptions dense = options(device, false, "128");
    Map<String, String> settings = new HashMap<>(dense.overrides());
    settings.put("sparse_prefill", "always");
    settings.put("sparse_block", "32");
    settings.put("sparse_min_budget", "32");
    settings.put("sparse_min_chunk", "64");
    EngineOptions sparse = dense.toBuilder().overrides(settings).build();
    Run alone = TestEngine.of(run(sparse, 0, 1, many), 0);
    requireSame(alone, TestEngine.of(run(sparse, 0, company, many), 0), "among " + company);
    byte[][] other = TestEngine.of(run(dense, 0, 1, many), 0).rows();
    assertThat(Arrays.deepEquals(alone.rows(), other)).as("equals dense").isFalse();
  }

  @Test
  @RequiresDevice
  void cutsOfADensePrefillChangeNoBitOnAGpuNorDoesCompany() throws Exception {
    EngineOptions options = options("cuda", false, "128");
    Run alone = TestEngine.of(run(options, 0, 1, 16), 0);
    requireSame(alone, TestEngine.of(run(options("cuda", false, "0"), 0, 1, 16), 0), "whole");
    requireSame(alone, TestEngine.of(run(options, 0, 2, 16), 0), "among two");
  }
}
