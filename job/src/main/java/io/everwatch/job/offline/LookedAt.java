// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.engine.RoundResult.Silent;
import io.everwatch.operators.engine.RoundResult.Spoke;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The chunks of a recording on their way into one stream, in pieces of some thousand rows; where
 * they are cut follows from the recording and the settings alone. The first two go alone: what they
 * take tells how many fit into a piece, and whether all fit into the engine.
 */
final class LookedAt implements Rounds {
  /** Rows of a piece: long enough for a prefill to be worth it, short enough for its pictures. */
  static final int PIECE_ROWS = 4096;

  /** A time marker has so many digits more at the end of a long recording than at its beginning. */
  private static final int MORE_DIGITS = 8;

  private final StreamSettings settings;
  private final String question;
  private final Recording.Chunks chunks;
  private final RecordingCut cut;
  private final int rowsLimit;
  private final RecordingQuestion.Listener listener;

  private final List<RoundInput> piece = new ArrayList<>();
  private long read;
  private long taken;
  private long leftOutFrom = -1;
  private long firstMicros = -1;
  private long endMicros;
  private int rows;
  private int rowsPerChunk;
  private int pieces;
  private long passedOver;
  private Optional<RecordingQuestion.Answer> answer = Optional.empty();

  LookedAt(
      StreamSettings settings,
      String question,
      Recording.Chunks chunks,
      RecordingCut cut,
      int rowsLimit,
      RecordingQuestion.Listener listener) {
    this.settings = settings;
    this.question = question;
    this.chunks = chunks;
    this.cut = cut;
    this.rowsLimit = rowsLimit;
    this.listener = listener;
  }

  @Override
  public String streamId() {
    return "recording";
  }

  @Override
  public StreamSettings settings() {
    return settings;
  }

  RecordingQuestion.Answer answer() {
    return answer.orElseThrow();
  }

  @Override
  public Optional<RoundInput> next() throws IOException {
    if (answer.isPresent()) {
      return Optional.empty();
    }
    if (piece.isEmpty()) {
      fill(pieces < 2 ? 1 : Math.max(1, PIECE_ROWS / rowsPerChunk));
    }
    int last = piece.size() - 1;
    RoundInput end = piece.get(last);
    return Optional.of((atEnd() ? asked(end) : end).after(piece.subList(0, last)));
  }

  private RoundInput asked(RoundInput chunk) {
    return new RoundInput(chunk.chunk(), chunk.frames(), false).asked(question);
  }

  private boolean atEnd() {
    return taken == cut.kept();
  }

  private void fill(int count) throws IOException {
    while (piece.size() < count && !atEnd()) {
      Assembled.Chunk<EncodedFrame> chunk =
          chunks
              .next()
              .orElseThrow(
                  () ->
                      new IOException(
                          "the recording ended after %d chunks; expected %d, as when it was counted; does somebody write it?"
                              .formatted(read, cut.chunks())));
      long index = read++;
      if (!cut.keeps(index)) {
        leftOutFrom = leftOutFrom < 0 ? chunk.startMicros() : leftOutFrom;
        continue;
      }
      if (leftOutFrom >= 0 && cut.leftOutTo().orElse(-1) == index) {
        listener.leftOut(leftOutFrom, chunk.startMicros(), cut.chunks() - cut.kept());
      }
      firstMicros = firstMicros < 0 ? chunk.startMicros() : firstMicros;
      endMicros = chunk.endMicros();
      taken++;
      piece.add(
          new RoundInput(chunk.index(), chunk.frames().stream().map(Frame::payload).toList(), false)
              .answered(""));
    }
  }

  @Override
  public void answered(RoundResult result) {
    result.badFrames().forEach(bad -> listener.problem(bad.reason() + ": " + bad.detail()));
    if (result.outcome() instanceof Failed failed) {
      failed(result, failed);
      return;
    }
    int before = rows;
    rows = result.session().memory().rows();
    pieces++;
    if (pieces == 2) {
      rowsPerChunk = rows - before;
      requireRoom(before);
    }
    listener.looked(taken, cut.kept(), endMicros, rows);
    piece.clear();
    if (atEnd()) {
      answer = Optional.of(answer(result));
    }
  }

  private RecordingQuestion.Answer answer(RoundResult result) {
    String text = result.outcome().match(Spoke::text, silent -> "", Failed::reason);
    int tokens = result.outcome().match(Spoke::tokens, Silent::tokens, failed -> 0);
    RoundResult.StopReason stop =
        result
            .outcome()
            .match(Spoke::stop, Silent::stop, failed -> RoundResult.StopReason.END_OF_TURN);
    return new RecordingQuestion.Answer(
        text.strip(),
        tokens,
        stop,
        cut.kept() - passedOver,
        cut.chunks() - cut.kept(),
        firstMicros,
        endMicros,
        result.contextRows());
  }

  /** A last chunk without a usable picture is passed over; anything else ends it. */
  private void failed(RoundResult result, Failed failed) {
    RoundInput last = piece.remove(piece.size() - 1);
    int before = piece.stream().mapToInt(chunk -> chunk.frames().size()).sum();
    long bad = result.badFrames().stream().filter(frame -> frame.index() >= before).count();
    passedOver++;
    if (bad < last.frames().size() || (piece.isEmpty() && atEnd())) {
      throw new QuestionException(
          "chunk %d of the recording: %s".formatted(last.chunk(), failed.reason()));
    }
  }

  /** Before anything long is begun. */
  private void requireRoom(int first) {
    long each = (long) rowsPerChunk + MORE_DIGITS;
    long room =
        (long) settings.maxNewTokens() + question.length(); // a token has a character at least
    long wanted = first + (cut.kept() - 1) * each + room;
    if (wanted <= rowsLimit) {
      return;
    }
    long fit = Math.max(0, (rowsLimit - first - room) / each + 1);
    throw new QuestionException(
        "%,d chunks of %d rows are %,d rows, and the engine has memory for %,d; about %,d chunks would fit: take --window '%d s', or at most %.3f frames a second with --fps, or give it more memory (on the CPU the heap: EVERWATCH_JAVA_OPTS=-Xmx…)"
            .formatted(
                cut.kept(),
                rowsPerChunk,
                wanted,
                rowsLimit,
                fit,
                fit * settings.chunkMicros() / 1_000_000,
                settings.fps() * fit / cut.kept()));
  }
}
