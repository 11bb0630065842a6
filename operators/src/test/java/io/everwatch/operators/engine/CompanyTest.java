// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

  private static EngineOptions options(String model, boolean plain) {
    return EngineOptions.builder(model)
        .threads(2)
        .workers(2)
        .plainProducts(plain)
        .kvBytes(64 << 20)
        .overrides(Company.SETTINGS)
        .build();
  }

  @ParameterizedTest
  @CsvSource({"tiny_a,false,64", "tiny_a,true,8", "tiny_b,false,16"})
  void changesNoBit(String checkpoint, boolean plain, int most) throws Exception {
    String model = "src/test/golden/qwen2_5_vl/" + checkpoint;
    Map<String, Company.Run> alone = new HashMap<>();
    try (Engine engine = Engines.open(options(model, plain))) {
      for (int s = 0; s < 6; s++) {
        alone.putAll(Company.run(engine, s, s + 1, CHUNKS, 1));
      }
    }
    try (Engine engine = Engines.open(options(model, plain))) {
      for (int streams : new int[] {2, 8, most}) {
        Map<String, Company.Run> together = Company.run(engine, 0, streams, CHUNKS, streams);
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
      Map<String, Company.Run> expected = Company.run(first, 0, 4, CHUNKS, 1);
      Company.run(second, 0, 4, CHUNKS, 2)
          .forEach((name, run) -> TestEngine.of(expected, name).requireSame(run, name));
      assertThat(second.numericsIdentity()).isEqualTo(first.numericsIdentity());
    }
  }

  @Test
  void isResumedWithTheSameBitsFromAnySnapshot() throws Exception {
    EngineOptions options = options("src/test/golden/qwen2_5_vl/tiny_a", false);
    try (Engine engine = Engines.open(options);
        Engine another = Engines.open(options)) {
      Company.Run whole = TestEngine.of(Company.run(engine, 3, 4, CHUNKS, 1), "camera-3");
      for (int stop = 0; stop < CHUNKS; stop++) {
        LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
        List<String> texts = new ArrayList<>();
        try (Seat seat = engine.attach(results::addAll);
            Seat next = another.attach(results::addAll)) {
          StreamSession session = seat.create("camera-3", engine.settings());
          for (int c = 0; c < stop; c++) {
            seat.submit(session, Company.chunk(3, c));
            texts.add(TestEngine.text(results.take()));
          }
          SessionSnapshot snapshot =
              SessionSnapshot.ofPieces(seat.snapshot(session).get(60, TimeUnit.SECONDS).pieces());
          StreamSession restored = next.restore(snapshot);
          for (int c = stop; c < CHUNKS; c++) {
            next.submit(restored, Company.chunk(3, c));
            texts.add(TestEngine.text(results.take()));
          }
          whole.requireSame(
              new Company.Run(texts, next.snapshot(restored).get(60, TimeUnit.SECONDS).pieces()),
              "stopped after " + stop);
        }
      }
    }
  }
}
