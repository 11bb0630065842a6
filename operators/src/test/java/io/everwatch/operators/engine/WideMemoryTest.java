// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A memory of a minute of pictures and four thousand tokens at both ends of the text. */
@Timeout(300)
class WideMemoryTest {
  private static final Path ROAD = Path.of("src/test/golden/road/frames");
  private static final int WINDOW = 64;
  private static final int CHUNKS = 90;
  private static final int SAVED = 80;

  /** As in {@code docs/examples/wide-memory.yaml}, half as wide. */
  private static final Map<String, String> WIDE =
      Map.of(
          "visual_rounds",
          "" + WINDOW,
          "text_rounds",
          "" + WINDOW,
          "text_sink",
          "4096",
          "text_window",
          "4096");

  private final LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();

  @Test
  void staysWithinItsBoundsAndComesBackToTheSameBytes() throws Exception {
    EngineOptions options =
        EngineOptions.builder("everwatch-tiny")
            .threads(2)
            .kvBytes(64 << 20)
            .overrides(WIDE)
            .build();
    try (Engine engine = Engines.open(options);
        Seat seat = engine.attach(results::addAll)) {
      StreamSettings settings = engine.settings();
      assertThat(settings.maxGapMicros()).isEqualTo(WINDOW * 1_000_000L);
      StreamSession session = seat.create("road", settings);
      int most = watch(seat, session, 0, SAVED);
      SessionSnapshot saved = seat.snapshot(session).get(60, TimeUnit.SECONDS);
      most = Math.max(most, watch(seat, session, SAVED, CHUNKS));
      assertThat(most).as("rows of the window, full").isGreaterThan(WINDOW * 40);

      StreamSession restored = seat.restore(SessionSnapshot.ofPieces(pieces(saved)));
      watch(seat, restored, SAVED, CHUNKS);
      assertThat(pieces(seat.snapshot(restored).get(60, TimeUnit.SECONDS)))
          .usingElementComparator(Arrays::compare)
          .isEqualTo(pieces(seat.snapshot(session).get(60, TimeUnit.SECONDS)));
    }
  }

  /** Returns the most rows that it had. */
  private int watch(Seat seat, StreamSession session, int from, int to) throws Exception {
    int most = 0;
    for (int chunk = from; chunk < to; chunk++) {
      round(seat, session, chunk);
      most = Math.max(most, check(session.memory(), session.settings()));
    }
    return most;
  }

  private static List<byte[]> pieces(SessionSnapshot snapshot) {
    return snapshot.pieces();
  }

  private void round(Seat seat, StreamSession session, int chunk)
      throws IOException, InterruptedException {
    seat.submit(
        session, new RoundInput(chunk, List.of(frame(2L * chunk), frame(2L * chunk + 1)), false));
    RoundResult result = results.poll(60, TimeUnit.SECONDS);
    assertThat(result).as("result of chunk %d", chunk).isNotNull();
    assertThat(result.round()).isEqualTo(chunk);
  }

  /** Returns the rows. */
  private static int check(StreamMemory memory, StreamSettings settings) {
    long visual =
        memory.slices().stream().filter(slice -> slice.kind() == SegmentKind.VISION).count();
    int text =
        memory.slices().stream()
            .filter(slice -> slice.kind() == SegmentKind.MEMORY)
            .mapToInt(Slice::rows)
            .sum();
    assertThat(visual).isLessThanOrEqualTo(settings.visualRounds());
    assertThat(text).isLessThanOrEqualTo(settings.textSink() + settings.textWindow());
    // a round: 16 vision tokens and their two marks, the turns around them, the longest answer
    int round = 16 + 2 + 40 + settings.maxNewTokens();
    assertThat(memory.rows()).isLessThanOrEqualTo(40 + text + settings.visualRounds() * round);
    float[][] positions = StreamProbe.positions(memory);
    assertThat(positions[0][memory.rows() - 1])
        .as("positions are dense: pictures take fewer than rows")
        .isLessThan(memory.rows());
    return memory.rows();
  }

  private static EncodedFrame frame(long number) throws IOException {
    byte[] bytes = Files.readAllBytes(ROAD.resolve("%06d.png".formatted(number)));
    return new EncodedFrame(Encoding.PNG, 0, 0, bytes);
  }
}
