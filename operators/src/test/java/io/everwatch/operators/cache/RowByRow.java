// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import io.everwatch.operators.cache.StreamingVlmPolicy.Cut;
import io.everwatch.operators.cache.StreamingVlmPolicy.Trim;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The rules of StreamingVLM §7.2 read literally, one row at a time and one rule after the other;
 * what the policy's slices are compared with.
 */
record RowByRow(RetentionWindow window, Cut cut, Trim trim) {
  private static final Set<SegmentKind> USER =
      EnumSet.of(
          SegmentKind.USER_OPEN,
          SegmentKind.MARKER,
          SegmentKind.VISION,
          SegmentKind.QUERY,
          SegmentKind.USER_CLOSE);
  private static final Set<SegmentKind> ASSISTANT =
      EnumSet.of(SegmentKind.ASSISTANT_OPEN, SegmentKind.GENERATED, SegmentKind.ASSISTANT_CLOSE);

  /** A row, named by segment and index. */
  record Row(long segment, int index, int id, SegmentKind kind, long round, boolean cached) {}

  static List<Row> rows(StreamMemory memory) {
    List<Row> rows = new ArrayList<>();
    for (Slice slice : memory.slices()) {
      for (int i = slice.from(); i < slice.to(); i++) {
        rows.add(
            new Row(
                slice.segment().id(),
                i,
                slice.segment().ids()[i],
                slice.kind(),
                slice.round(),
                rows.size() < memory.cachedRows()));
      }
    }
    return rows;
  }

  List<Row> compact(List<Row> before, long i) {
    List<Row> rows = new ArrayList<>(before);
    int textRounds = window.textRounds();
    int visualRounds = window.visualRounds();
    if (i >= textRounds) {
      long old = i - textRounds;
      List<Row> words = phrase(rows, old);
      rows.removeAll(words);
      int close = 0;
      while (rows.get(close).kind() != SegmentKind.MEMORY_CLOSE) {
        close++;
      }
      for (Row word : words) {
        rows.add(
            close++,
            new Row(
                word.segment(), word.index(), word.id(), SegmentKind.MEMORY, -1, word.cached()));
      }
      if (visualRounds > textRounds) {
        drop(rows, row -> row.kind() == SegmentKind.MARKER && row.round() == old);
      }
      drop(rows, row -> ASSISTANT.contains(row.kind()) && row.round() == old);
    }
    if (i >= visualRounds && visualRounds < textRounds) {
      drop(rows, row -> row.kind() == SegmentKind.VISION && row.round() == i - visualRounds);
    }
    long turn = i - Math.max(textRounds, visualRounds);
    drop(rows, row -> USER.contains(row.kind()) && row.round() == turn);
    if (i > 0 && window.cutText()) {
      cutText(rows);
    }
    return rows;
  }

  List<Row> dropVision(List<Row> before) {
    List<Row> rows = new ArrayList<>(before);
    Predicate<Row> answered =
        row ->
            before.stream().anyMatch(r -> ASSISTANT.contains(r.kind()) && r.round() == row.round());
    drop(rows, row -> row.kind() == SegmentKind.VISION);
    drop(rows, row -> USER.contains(row.kind()) && !answered.test(row));
    return rows;
  }

  private List<Row> phrase(List<Row> rows, long round) {
    List<Row> turn = new ArrayList<>(rows);
    turn.removeIf(row -> row.kind() != SegmentKind.GENERATED || row.round() != round);
    if (trim == Trim.UPSTREAM) {
      return turn.subList(0, Math.max(0, turn.size() - 2));
    }
    while (!turn.isEmpty() && FakeStream.TOKENS.ends().contains(turn.get(turn.size() - 1).id())) {
      turn.remove(turn.size() - 1);
    }
    if (!turn.isEmpty() && turn.get(turn.size() - 1).id() == FakeStream.PAUSE) {
      turn.remove(turn.size() - 1);
    }
    return turn;
  }

  private void cutText(List<Row> rows) {
    List<Row> text = new ArrayList<>(rows);
    text.removeIf(row -> row.kind() != SegmentKind.MEMORY);
    int sink = window.textSink();
    int tail = window.textWindow() - (cut == Cut.UPSTREAM ? 1 : 0);
    if (text.size() >= sink + window.textWindow()) {
      rows.removeAll(text.subList(sink, text.size() - tail));
    }
  }

  private static void drop(List<Row> rows, Predicate<Row> test) {
    rows.removeIf(test);
  }
}
