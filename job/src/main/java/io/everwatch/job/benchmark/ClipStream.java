// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import io.everwatch.job.benchmark.Skips.Reason;
import io.everwatch.job.offline.Rounds;
import io.everwatch.job.offline.SourceChunks;
import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Clips on their way through the engine, one after the other, each a stream of its own, in chunk
 * mode each piece. What a stream is told at its beginning is the published prompt (StreamingVLM
 * §5): the human commentary before it as {@code previous text}, the query behind the pictures of
 * the first round; or, as Everwatch has it, query and commentary as standing text.
 */
final class ClipStream implements Rounds {
  /** Where clips come from and where their commentary goes; of the driving thread. */
  interface Desk {
    /** The next clip with its frames, opened; empty when there is none left. */
    Optional<Opened> next();

    /** Whether this piece was done before. */
    boolean isDone(Clip clip, double from);

    /** A piece is done. */
    void done(Clip clip, double from, double to, List<Word> said) throws IOException;
  }

  record Opened(Clip clip, ClipFrames frames) {}

  private final String streamId;
  private final StreamSettings settings;
  private final GenerationOptions options;
  private final Desk desk;
  private final Skips skips;
  private final double chunkSeconds;
  private @Nullable Opened open;
  private @Nullable SourceChunks chunks;
  private final List<Word> said = new ArrayList<>();
  private long piece = -1; // of the clip, that of the last round
  private boolean first; // whether the round under way is the first of its stream
  private double start; // seconds of the video
  private double end;

  ClipStream(
      String streamId, StreamSettings settings, GenerationOptions options, Desk desk, Skips skips) {
    this.streamId = streamId;
    this.settings = settings;
    this.options = options;
    this.desk = desk;
    this.skips = skips;
    this.chunkSeconds = settings.chunkMicros() / 1e6;
  }

  @Override
  public String streamId() {
    return streamId;
  }

  @Override
  public boolean afresh() {
    return first;
  }

  @Override
  public StreamSettings settings() {
    Opened now = open;
    if (now == null) {
      return settings; // made before the first clip is known, and made again for it
    }
    String earlier = now.clip().before(pieceStart(now.clip(), piece));
    String context = earlier.isEmpty() ? "" : " " + earlier;
    return settings.withInstruction(
        options.queryInFirstTurn() ? context : " " + options.query(now.clip()) + context);
  }

  @Override
  public Optional<RoundInput> next() {
    try {
      return round();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Optional<RoundInput> round() throws IOException {
    while (true) {
      Opened now = open;
      if (now == null) {
        Optional<Opened> opened = desk.next();
        if (opened.isEmpty()) {
          return Optional.empty();
        }
        open = opened.get();
        chunks = new SourceChunks(open.frames(), settings);
        piece = -1;
        continue;
      }
      Optional<Assembled.Chunk<EncodedFrame>> chunk = chunk(now.clip());
      if (chunk.isEmpty()) {
        finish(now);
        continue;
      }
      start = now.clip().from() + chunk.get().index() * chunkSeconds;
      end = start + chunkSeconds;
      long next = options.pieceSeconds().isEmpty() ? 0 : pieceOf(chunk.get().index());
      first = next != piece;
      if (first) {
        finishPiece(now.clip());
        piece = next;
      }
      if (desk.isDone(now.clip(), pieceStart(now.clip(), next))) {
        continue;
      }
      return Optional.of(input(now.clip(), chunk.get()));
    }
  }

  private RoundInput input(Clip clip, Assembled.Chunk<EncodedFrame> chunk) {
    long told = Math.round(clip.firstSecond() / chunkSeconds) + chunk.index();
    List<EncodedFrame> frames = chunk.frames().stream().map(Frame::payload).toList();
    RoundInput input = new RoundInput(told, frames, chunk.dropVision() && !first);
    return first && options.queryInFirstTurn() ? input.asked(options.query(clip)) : input;
  }

  private long pieceOf(long chunk) {
    return (long) (chunk * chunkSeconds / options.pieceSeconds().getAsInt());
  }

  private double pieceStart(Clip clip, long of) {
    return clip.from() + Math.max(0, of) * options.pieceSeconds().orElse(0);
  }

  /** What cannot be read on ends here; what was said is kept. */
  private Optional<Assembled.Chunk<EncodedFrame>> chunk(Clip clip) {
    SourceChunks source = chunks;
    try {
      while (source != null) {
        Optional<Assembled<EncodedFrame>> assembled = source.next();
        if (assembled.isEmpty()) {
          break;
        }
        Optional<Assembled.Chunk<EncodedFrame>> chunk =
            assembled.get().match(Optional::of, gap -> Optional.empty(), dead -> Optional.empty());
        if (chunk.isPresent()) {
          return chunk;
        }
      }
    } catch (IOException e) {
      skips.add(
          Reason.UNREADABLE_VIDEO, "%s at %.0f s: %s".formatted(clip.id(), end, e.getMessage()));
    }
    return Optional.empty();
  }

  private void finish(Opened now) throws IOException {
    finishPiece(now.clip());
    switch (now.frames().length()) {
      case LONGER -> {
        if (!now.clip().words().isEmpty()) { // else the clip is meant to be a part of the video
          skips.add(
              Reason.LONGER_THAN_ANNOTATION,
              "%s: goes on behind %.1f s".formatted(now.clip().id(), now.clip().to()));
        }
      }
      case SHORTER ->
          skips.add(
              Reason.SHORTER_THAN_ANNOTATION,
              "%s: ends before %.1f s".formatted(now.clip().id(), now.clip().to()));
      case AS_LONG -> {}
    }
    now.frames().close();
    open = null;
  }

  private void finishPiece(Clip clip) throws IOException {
    double from = pieceStart(clip, piece);
    if (piece >= 0 && !desk.isDone(clip, from)) {
      double to =
          options.pieceSeconds().isEmpty()
              ? clip.to()
              : Math.min(clip.to(), from + options.pieceSeconds().getAsInt());
      desk.done(clip, from, to, List.copyOf(said));
    }
    said.clear();
  }

  @Override
  public void answered(RoundResult result) {
    String text =
        result
            .outcome()
            .match(
                RoundResult.Spoke::text,
                silent -> "",
                failed -> {
                  skips.add(
                      Reason.FAILED_ROUND,
                      "%s at %.1f s: %s".formatted(clipId(), start, failed.reason()));
                  return "";
                });
    if (!text.isBlank()) {
      said.add(new Word(start, end, text.strip()));
    }
  }

  private String clipId() {
    return open == null ? streamId : open.clip().id();
  }

  /** Closes what is open when the run ends before the clip does. */
  void close() throws IOException {
    if (open != null) {
      open.frames().close();
    }
  }
}
