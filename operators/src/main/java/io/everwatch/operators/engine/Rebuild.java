// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.RetentionPolicy;
import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.engine.RebuiltMemory.Source;
import io.everwatch.operators.engine.RoundPlanner.Part;
import io.everwatch.operators.engine.RoundPlanner.UserTurn;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The memory of a stream without its K and V, when those cannot be used: all words in their places,
 * no pictures, no row computed. The next round computes the rows together with its own prompt, as
 * it does with the last token of any turn. A pure function of what is left of the snapshot, the
 * model and the settings.
 */
final class Rebuild {
  /** Stands for any user turn where the grammar asks for one. */
  private static final UserTurn ANY =
      new UserTurn(
          0,
          new VideoGrid(1, 1, 1, 1),
          /* first= */ true,
          /* afterTurn= */ true,
          /* question= */ "");

  private final RoundPlanner.Prompts prompts;
  private final Words words;
  private final TurnEnding ending;
  private final Function<StreamSettings, RetentionPolicy> policy;
  private final String modelDigest;

  /** Of the model that is to go on. */
  Rebuild(EngineParts parts) {
    prompts = parts.planner().prompts();
    words = parts.words();
    ending = parts.ending();
    policy = parts.policy();
    modelDigest = parts.modelDigest();
  }

  /**
   * From the best that is left: ids, then text, then nothing.
   *
   * @param pieces of the snapshot; some are damaged, or another model made them
   * @param settings for a stream that cannot keep its own
   * @param rounds that it had made, for when not even the header is left
   */
  Result rebuild(List<byte[]> pieces, StreamSettings settings, long rounds) {
    SnapshotHeader header;
    try {
      header = FoundPieces.of(pieces).header();
    } catch (CorruptSnapshotException e) {
      return fromNothing(settings, rounds);
    }
    if (header.modelDigest().equals(modelDigest)) {
      return fromIds(header);
    }
    return header.transcript().covers(header.committed().memory())
        ? fromText(header, settings)
        : fromNothing(settings, header.committed().rounds());
  }

  /** What a stream goes on with. */
  record Result(StreamSettings settings, Committed committed, Source source) {}

  /** From ids: by the model that made them. */
  private Result fromIds(SnapshotHeader header) {
    StreamSettings settings = header.settings();
    return new Result(settings, blind(header.committed(), settings), Source.IDS);
  }

  /**
   * From text: by a model that may have another vocabulary. The grammar is its own, and so is the
   * standing text of {@code settings}; what was said and the time markers are tokenised anew.
   */
  private Result fromText(SnapshotHeader header, StreamSettings settings) {
    List<Slice> old = header.committed().memory().slices();
    Map<SegmentKind, int[]> grammar = grammar(settings);
    List<Slice> slices = new ArrayList<>(old.size());
    long next = header.committed().nextSegment();
    for (int i = 0; i < old.size(); i++) {
      Slice slice = old.get(i);
      int[] ids = ids(slice, header.transcript().texts().get(i), grammar);
      if (ids.length > 0) {
        Segment segment =
            new Segment(next++, slice.segment().kind(), slice.segment().round(), ids, null);
        slices.add(new Slice(segment, 0, ids.length, slice.kind(), slice.round()));
      }
      if (slice.kind() == SegmentKind.MEMORY_OPEN) {
        int[] standing = grammar.getOrDefault(SegmentKind.MEMORY, new int[0]);
        if (standing.length > 0) {
          slices.add(Slice.whole(new Segment(next++, SegmentKind.MEMORY, -1, standing, null)));
        }
      }
    }
    Committed own = new Committed(new StreamMemory(slices, 0), header.committed().rounds(), next);
    return new Result(settings, blind(own, settings), Source.TEXT);
  }

  /** From nothing but the count of rounds, which decides how tokens are drawn. */
  private static Result fromNothing(StreamSettings settings, long rounds) {
    return new Result(settings, new Committed(StreamMemory.EMPTY, rounds, 0), Source.NOTHING);
  }

  /** Without pictures and rows: as after a gap that was too long. */
  private Committed blind(Committed committed, StreamSettings settings) {
    StreamMemory words = committed.memory().withCachedRows(0);
    return new Committed(
        policy.apply(settings).dropVision(words), committed.rounds(), committed.nextSegment());
  }

  private int[] ids(Slice slice, String text, Map<SegmentKind, int[]> grammar) {
    return switch (slice.kind()) {
      case GENERATED -> ending.turn(text);
      case MARKER -> words.encode(text);
      case MEMORY -> Transcript.isSaid(slice) ? words.encode(text) : new int[0];
      case VISION -> new int[0];
      case SYSTEM,
          MEMORY_OPEN,
          MEMORY_CLOSE,
          USER_OPEN,
          QUERY,
          USER_CLOSE,
          ASSISTANT_OPEN,
          ASSISTANT_CLOSE ->
          grammar.getOrDefault(slice.kind(), new int[0]);
    };
  }

  /** The parts that are the same in every round. */
  private Map<SegmentKind, int[]> grammar(StreamSettings settings) {
    List<Part> parts = new ArrayList<>(prompts.head(settings));
    parts.addAll(prompts.round(settings, ANY));
    Map<SegmentKind, int[]> grammar = new EnumMap<>(SegmentKind.class);
    parts.forEach(part -> grammar.put(part.kind(), part.ids()));
    return grammar;
  }
}
