// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * StreamingVLM's memory (Xu et al. 2025; StreamingVLM §7.2): at the start of round {@code i} the
 * words of the round that leaves the text window move to the end of {@code previous text}, the rest
 * of its assistant turn goes, vision and user turns go when their own windows pass, and {@code
 * previous text} is cut to its first {@code S} and last {@code Wt} tokens.
 *
 * <p>Works by round numbers, not by searching ids for chat markers, so that nothing a model says
 * can be mistaken for the frame of the prompt. A window that was narrowed in mid-stream lets all
 * rounds outside it go at once, oldest first. A round's video grid lies in its VISION segment and
 * goes with it.
 *
 * <p>Pure and stateless; a call costs time in proportion to the slices of the memory. Their number
 * is bounded by {@code S + Wt} (moved words, at worst a slice each) and a constant per round of the
 * longer window.
 */
public final class StreamingVlmPolicy implements RetentionPolicy {
  /** How {@code previous text} is cut (StreamingVLM §7.4). Persisted by name. */
  public enum Cut {
    /** Sink and window, exactly. */
    EXACT,
    /** As published: a text of {@code S + Wt} tokens or more keeps {@code Wt - 1} at its end. */
    UPSTREAM
  }

  /** How a turn is stripped to its words (StreamingVLM §16.1, row 3). Persisted by name. */
  public enum Trim {
    /** End tokens, then one pause token, by their ids. */
    IDENTITY,
    /** As published: always the last two tokens, which are words when a turn was cut short. */
    UPSTREAM
  }

  private final RetentionWindow window;
  private final TurnTokens tokens;
  private final Cut cut;
  private final Trim trim;

  /** The repaired rules. */
  public StreamingVlmPolicy(RetentionWindow window, TurnTokens tokens) {
    this(window, tokens, Cut.EXACT, Trim.IDENTITY);
  }

  /** With the published defects where asked for: golden traces need them. */
  public StreamingVlmPolicy(RetentionWindow window, TurnTokens tokens, Cut cut, Trim trim) {
    if (cut == Cut.UPSTREAM && window.cutText() && window.textWindow() < 1) {
      throw new IllegalArgumentException(
          ("text window %d with the published cut; expected at least 1, since that cut "
                  + "keeps one token less; use the exact cut")
              .formatted(window.textWindow()));
    }
    this.window = window;
    this.tokens = tokens;
    this.cut = cut;
    this.trim = trim;
  }

  @Override
  public StreamMemory compact(StreamMemory memory, long round) {
    List<Piece> pieces = retire(Piece.of(memory), round);
    if (round > 0 && window.cutText()) {
      pieces = cutText(pieces);
    }
    return Piece.memory(pieces);
  }

  /**
   * {@inheritDoc}
   *
   * <p>Start marker, pads and end marker of every round go. User turns whose answer has left the
   * text window hold nothing else worth a row and go as a whole; the others keep their time marker.
   */
  @Override
  public StreamMemory dropVision(StreamMemory memory) {
    Set<Long> answered = new HashSet<>();
    for (Slice slice : memory.slices()) {
      if (isAssistant(slice.kind())) {
        answered.add(slice.round());
      }
    }
    List<Piece> kept = new ArrayList<>();
    for (Piece piece : Piece.of(memory)) {
      Slice slice = piece.slice();
      boolean goes =
          slice.kind() == SegmentKind.VISION
              || (isUser(slice.kind()) && !answered.contains(slice.round()));
      if (!goes) {
        kept.add(piece);
      }
    }
    return Piece.memory(kept);
  }

  /** Rules A to C: what leaves with its round, and the words that move. */
  private List<Piece> retire(List<Piece> pieces, long round) {
    long textGone = round - window.textRounds();
    long visionGone = round - window.visualRounds();
    List<Piece> kept = new ArrayList<>(pieces.size() + 1);
    Map<Long, List<Piece>> turns = new LinkedHashMap<>(); // leaving, oldest first
    int close = -1;
    for (Piece piece : pieces) {
      SegmentKind kind = piece.slice().kind();
      long born = piece.slice().round();
      boolean leaves =
          born >= 0
              && ((isAssistant(kind) && born <= textGone)
                  || (kind == SegmentKind.MARKER && born <= textGone)
                  || (kind == SegmentKind.VISION && born <= visionGone)
                  || (isUser(kind) && born <= Math.min(textGone, visionGone)));
      if (!leaves) {
        if (kind == SegmentKind.MEMORY_CLOSE && close < 0) {
          close = kept.size();
        }
        kept.add(piece);
      } else if (kind == SegmentKind.GENERATED) {
        turns.computeIfAbsent(born, r -> new ArrayList<>()).add(piece);
      }
    }
    List<Piece> words = new ArrayList<>();
    turns.values().forEach(turn -> phrase(turn, words));
    if (!words.isEmpty()) {
      if (close < 0) {
        throw new IllegalStateException(
            ("%d runs of words leave the text window before round %d, but the memory has "
                    + "no MEMORY_CLOSE; expected the head (system turn and `previous text` turn) "
                    + "in front; append it with the first round")
                .formatted(words.size(), round));
      }
      kept.addAll(close, words);
    }
    return kept;
  }

  /** Adds the words of one turn: all of it but the end and the pause. */
  private void phrase(List<Piece> turn, List<Piece> words) {
    int rows = 0;
    for (Piece piece : turn) {
      rows += piece.rows();
    }
    int end = rows;
    if (trim == Trim.UPSTREAM) {
      end = Math.max(0, rows - 2);
    } else {
      while (end > 0 && tokens.ends().contains(id(turn, end - 1))) {
        end--;
      }
      if (end > 0 && id(turn, end - 1) == tokens.pause()) {
        end--;
      }
    }
    for (Piece piece : turn) {
      int take = Math.min(piece.rows(), end);
      if (take > 0) {
        words.add(piece.rows(0, take).asMemory());
      }
      end -= take;
    }
  }

  private static int id(List<Piece> turn, int row) {
    int at = row;
    for (Piece piece : turn) {
      if (at < piece.rows()) {
        return piece.id(at);
      }
      at -= piece.rows();
    }
    throw new IndexOutOfBoundsException(row);
  }

  /** Rule D: the first {@code S} and the last {@code Wt} rows of the text memory. */
  private List<Piece> cutText(List<Piece> pieces) {
    long rows = 0;
    for (Piece piece : pieces) {
      rows += piece.slice().kind() == SegmentKind.MEMORY ? piece.rows() : 0;
    }
    if (rows < (long) window.textSink() + window.textWindow()) {
      return pieces;
    }
    long sinkEnd = window.textSink();
    long tailStart = rows - window.textWindow() + (cut == Cut.UPSTREAM ? 1 : 0);
    List<Piece> kept = new ArrayList<>(pieces.size() + 1);
    long at = 0; // row of the text memory at which the piece starts
    for (Piece piece : pieces) {
      if (piece.slice().kind() != SegmentKind.MEMORY) {
        kept.add(piece);
        continue;
      }
      int n = piece.rows();
      int sink = (int) Math.max(0, Math.min(n, sinkEnd - at));
      int tail = (int) Math.max(sink, Math.min(n, tailStart - at));
      if (sink == tail) {
        kept.add(piece);
      } else {
        if (sink > 0) {
          kept.add(piece.rows(0, sink));
        }
        if (tail < n) {
          kept.add(piece.rows(tail, n));
        }
      }
      at += n;
    }
    return kept;
  }

  private static boolean isAssistant(SegmentKind kind) {
    return kind == SegmentKind.ASSISTANT_OPEN
        || kind == SegmentKind.GENERATED
        || kind == SegmentKind.ASSISTANT_CLOSE;
  }

  private static boolean isUser(SegmentKind kind) {
    return kind == SegmentKind.USER_OPEN
        || kind == SegmentKind.MARKER
        || kind == SegmentKind.VISION
        || kind == SegmentKind.QUERY
        || kind == SegmentKind.USER_CLOSE;
  }
}
