// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rounds of a stream on integers: what the engine does to a memory, without a model. */
public final class FakeStream {
  public static final int PAUSE = 1;
  public static final int END = 2;
  public static final int END_OF_TEXT = 3;
  public static final int NEWLINE = 4;
  public static final int PAD = 5;
  public static final int FRAME_OF_TURN = 6; // any id of the chat frame
  public static final TurnTokens TOKENS = new TurnTokens(PAUSE, Set.of(END, END_OF_TEXT));

  private final RetentionPolicy policy;
  private final VideoGrid grid;
  private final int end;
  private final int newline;
  private long segments;
  private double nativeEnd;
  private long round;
  private StreamMemory memory = StreamMemory.EMPTY;

  public FakeStream(RetentionPolicy policy, VideoGrid grid) {
    this(policy, grid, END, NEWLINE);
  }

  FakeStream(RetentionPolicy policy, VideoGrid grid, int end, int newline) {
    this.policy = policy;
    this.grid = grid;
    this.end = end;
    this.newline = newline;
  }

  public StreamMemory memory() {
    return memory;
  }

  public long round() {
    return round;
  }

  public Slice segment(SegmentKind kind, long born, int... ids) {
    @Nullable VideoGrid its = kind == SegmentKind.VISION ? grid : null;
    Segment segment = new Segment(segments++, kind, born, ids, its, nativeEnd);
    nativeEnd = segment.end();
    return Slice.whole(segment);
  }

  public void dropVision() {
    memory = policy.dropVision(memory);
  }

  /** Compaction alone. */
  StreamMemory compact() {
    memory = policy.compact(memory, round);
    return memory;
  }

  /** New rows, without K and V. */
  void append(List<Slice> slices) {
    memory = memory.append(slices);
  }

  /** The memory at the prefill of the next round, in the sizes of StreamingVLM §5. */
  public StreamMemory ask(int... context) {
    compact();
    List<Slice> more = new ArrayList<>();
    if (round == 0) {
      more.add(segment(SegmentKind.SYSTEM, -1, filled(11, FRAME_OF_TURN)));
      more.add(segment(SegmentKind.MEMORY_OPEN, -1, filled(4, FRAME_OF_TURN)));
      if (context.length > 0) {
        more.add(segment(SegmentKind.MEMORY, -1, context));
      }
      more.add(segment(SegmentKind.MEMORY_CLOSE, -1, END, NEWLINE));
    } else if (lastId() != newline) {
      more.add(segment(SegmentKind.ASSISTANT_CLOSE, round - 1, newline));
    }
    more.add(segment(SegmentKind.USER_OPEN, round, filled(3, FRAME_OF_TURN)));
    more.add(segment(SegmentKind.MARKER, round, filled(10, FRAME_OF_TURN)));
    more.add(segment(SegmentKind.VISION, round, vision()));
    if (round == 0) {
      more.add(segment(SegmentKind.QUERY, round, filled(5, FRAME_OF_TURN)));
    }
    more.add(segment(SegmentKind.USER_CLOSE, round, END, NEWLINE));
    more.add(segment(SegmentKind.ASSISTANT_OPEN, round, filled(3, FRAME_OF_TURN)));
    append(more);
    return memory;
  }

  /** Ends the round: the last sampled id has no K and V, nor has an end that had to be added. */
  public void answer(int... sampled) {
    int rows = memory.rows();
    int[] ids = sampled;
    if (sampled[sampled.length - 1] != end) {
      ids = Arrays.copyOf(sampled, sampled.length + 1);
      ids[sampled.length] = end;
    }
    memory =
        memory
            .append(List.of(segment(SegmentKind.GENERATED, round, ids)))
            .withCachedRows(rows + sampled.length - 1);
    round++;
  }

  private int[] vision() {
    int[] ids = filled(grid.tokens() + 2, PAD);
    ids[0] = FRAME_OF_TURN;
    ids[ids.length - 1] = FRAME_OF_TURN;
    return ids;
  }

  private int lastId() {
    Slice last = memory.slices().get(memory.slices().size() - 1);
    return last.segment().ids()[last.to() - 1];
  }

  private static int[] filled(int count, int id) {
    int[] ids = new int[count];
    Arrays.fill(ids, id);
    return ids;
  }
}
