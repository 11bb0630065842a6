// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DType;
import io.everwatch.operators.cache.SegmentKind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several clips in one prompt of a real network: each finds its places, wherever it is cut. */
@Timeout(120)
class ManyClipsTest {
  private static final int CHUNKS = 24;

  private final LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();

  /** Cuts at multiples of 128 fall into clips of 16 rows, between them, and into turns. */
  @Test
  void aPromptOfManyClipsHasTheSameRowsInPiecesAndWhole() throws Exception {
    byte[][] whole = rows("0");
    assertThat(whole.length).isGreaterThan(5 * 128);
    assertThat(rows("128")).isDeepEqualTo(whole);
  }

  private byte[][] rows(String piece) throws Exception {
    Map<String, String> settings = new HashMap<>(Company.SETTINGS);
    settings.put("min_pixels", "784");
    settings.put("visual_rounds", "" + CHUNKS);
    settings.put("text_rounds", "" + CHUNKS);
    settings.put("prefill_piece", piece);
    EngineOptions options =
        EngineOptions.builder("src/test/golden/qwen2_5_vl/tiny_a")
            .threads(1)
            .plainProducts(true)
            .kvBytes(32 << 20)
            .batchRows(2048)
            .overrides(settings)
            .build();
    try (Engine engine = Engines.open(options);
        Seat seat = engine.attach(results::addAll)) {
      StreamSession session = seat.create("a", engine.settings());
      List<RoundInput> earlier =
          IntStream.range(0, CHUNKS - 1)
              .mapToObj(chunk -> LongPromptTest.chunk(7, chunk, 2))
              .map(chunk -> chunk.answered(""))
              .toList();
      seat.submit(session, LongPromptTest.chunk(7, CHUNKS, 2).after(earlier));
      RoundResult result = results.poll(60, TimeUnit.SECONDS);
      assertThat(result).isNotNull();
      assertThat(result.round()).isEqualTo(CHUNKS - 1);
      assertThat(session.memory().slices())
          .filteredOn(slice -> slice.kind() == SegmentKind.VISION)
          .hasSize(CHUNKS)
          .allMatch(slice -> slice.rows() == 18);
      return seat.snapshot(session).get(60, TimeUnit.SECONDS).rows(DType.F32);
    }
  }
}
