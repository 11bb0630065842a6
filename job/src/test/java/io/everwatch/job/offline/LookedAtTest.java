// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.FrameSource;
import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.engine.EngineMetrics;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.BadFrame;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.engine.StreamSession;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** The pieces in which a recording goes to the engine. */
class LookedAtTest {
  private static final int HEAD = 30;
  private static final int PER_CHUNK = 500; // eight to a piece

  private final List<String> told = new ArrayList<>();
  private final List<List<Long>> pieces = new ArrayList<>();
  private int rows;

  private final RecordingQuestion.Listener listener =
      new RecordingQuestion.Listener() {
        @Override
        public void counted(long chunks, long endMicros) {}

        @Override
        public void leftOut(long fromMicros, long toMicros, long chunks) {
          told.add("left out %d of [%d, %d)".formatted(chunks, fromMicros, toMicros));
        }

        @Override
        public void looked(long chunks, long of, long endMicros, int rows) {}

        @Override
        public void problem(String line) {
          told.add(line);
        }
      };

  private final StreamSession session =
      new StreamSession() {
        @Override
        public String streamId() {
          return "recording";
        }

        @Override
        public StreamSettings settings() {
          return FakeEngine.SETTINGS;
        }

        @Override
        public long rounds() {
          return 0;
        }

        @Override
        public StreamMemory memory() {
          Segment all = new Segment(0, SegmentKind.VISION, 0, new int[rows], null);
          return new StreamMemory(List.of(Slice.whole(all)), rows);
        }
      };

  private static Recording recording(int seconds) {
    Recording.Source source =
        () -> {
          Iterator<Long> at = LongStream.range(0, 2L * seconds).iterator();
          return new FrameSource() {
            @Override
            public Optional<CameraFrame> next() {
              return at.hasNext()
                  ? Optional.of(
                      new CameraFrame(
                          at.next() * 500_000, new EncodedFrame(Encoding.PNG, 1, 1, new byte[1])))
                  : Optional.empty();
            }

            @Override
            public void close() {}
          };
        };
    return new Recording(source, Duration.ZERO, Duration.ofDays(1));
  }

  /** Plays the engine: every chunk takes its rows. */
  private RecordingQuestion.Answer ask(int seconds, RecordingCut cut, int limit)
      throws IOException {
    try (Recording.Chunks chunks = recording(seconds).open(FakeEngine.SETTINGS)) {
      LookedAt rounds =
          new LookedAt(FakeEngine.SETTINGS, "how many?", chunks, cut, limit, listener);
      rows = HEAD;
      for (Optional<RoundInput> next = rounds.next(); next.isPresent(); next = rounds.next()) {
        RoundInput input = next.get();
        List<Long> piece =
            new ArrayList<>(input.earlier().stream().map(RoundInput::chunk).toList());
        piece.add(input.chunk());
        boolean unusable = input.chunk() == 9 && limit == BAD_NINTH;
        if (unusable) {
          int first = input.earlier().stream().mapToInt(one -> one.frames().size()).sum();
          rounds.answered(
              result(input, -1, new Failed("none of them"), List.of(bad(first), bad(first + 1))));
          continue;
        }
        assertThat(input.earlier()).extracting(RoundInput::said).allMatch(""::equals);
        assertThat(input.question().isEmpty()).isEqualTo(input.said() != null);
        pieces.add(piece);
        rows += piece.size() * PER_CHUNK;
        rounds.answered(
            result(input, 1, FakeEngine.says(input.said() == null ? " Seven." : ""), List.of()));
      }
      return rounds.answer();
    }
  }

  private static final int BAD_NINTH = 999_999;

  private static BadFrame bad(int index) {
    return new BadFrame(index, BadFrameException.Reason.CORRUPT, "torn");
  }

  private RoundResult result(
      RoundInput input, long round, Outcome outcome, List<BadFrame> badFrames) {
    return new RoundResult(
        session,
        input,
        round,
        outcome,
        badFrames,
        100,
        rows,
        100,
        new RoundResult.Timings(0, 0, 0, 0, EngineMetrics.Stages.NONE));
  }

  private static RecordingCut all(long chunks) {
    return new RecordingCut(chunks, 0, RecordingCut.ALL);
  }

  @Test
  void showsEveryChunkOnceInPiecesAndAsksWithTheLast() throws Exception {
    RecordingQuestion.Answer answer = ask(20, all(20), 20_000);

    assertThat(pieces.stream().flatMap(List::stream))
        .containsExactlyElementsOf(LongStream.range(0, 20).boxed().toList());
    assertThat(pieces).extracting(List::size).containsExactly(1, 1, 8, 8, 2);
    assertThat(answer.text()).isEqualTo("Seven.");
    assertThat(answer.chunks()).isEqualTo(20);
    assertThat(answer.toMicros()).isEqualTo(20_000_000);
    assertThat(told).isEmpty();
  }

  @Test
  void asksWithTheOnlyChunkThereIs() throws Exception {
    assertThat(ask(1, all(1), 20_000).text()).isEqualTo("Seven.");
    assertThat(pieces).containsExactly(List.of(0L));
  }

  @Test
  void neverComputesWhatIsCutAndSaysSo() throws Exception {
    RecordingQuestion.Answer answer = ask(100, new RecordingCut(100, 2, 4), 20_000);

    assertThat(pieces.stream().flatMap(List::stream)).containsExactly(0L, 1L, 96L, 97L, 98L, 99L);
    assertThat(answer.leftOut()).isEqualTo(94);
    assertThat(told).containsExactly("left out 94 of [2000000, 96000000)");
  }

  @Test
  void refusesWhatDoesNotFitAfterTheSecondChunkAndSaysWhatWould() {
    assertThatThrownBy(() -> ask(100, all(100), 10_000))
        .isInstanceOf(QuestionException.class)
        .hasMessageContaining("100 chunks of 500 rows are")
        .hasMessageContaining("memory for 10,000; about 19 chunks would fit: take --window '19 s'")
        .hasMessageContaining("at most 0.380 frames a second");
    assertThat(pieces).hasSize(2);
  }

  @Test
  void fitsWithWhatItSaidWouldFit() throws Exception {
    assertThat(ask(100, new RecordingCut(100, 0, 19), 10_000).chunks()).isEqualTo(19);
  }

  /** Pictures 18 and 19 are torn, the last of a piece. */
  @Test
  void passesOverAChunkWithoutAUsablePicture() throws Exception {
    assertThat(ask(12, all(12), BAD_NINTH).chunks()).isEqualTo(11);

    assertThat(pieces.stream().flatMap(List::stream))
        .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 10L, 11L);
    assertThat(told).containsExactly("CORRUPT: torn", "CORRUPT: torn");
  }

  @Test
  void saysWhenTheRecordingBecameShorterInBetween() {
    assertThatThrownBy(() -> ask(5, all(9), 20_000))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ended after 5 chunks; expected 9");
  }
}
