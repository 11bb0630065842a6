// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.PositionMode;
import io.everwatch.operators.cache.RetentionPolicy;
import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.TuningProfile;
import io.everwatch.operators.model.VisionClip;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Plans rounds (StreamingVLM §6.2, steps 1 to 5): compacts, renders the prompt, counts positions.
 * Pure and thread-safe.
 *
 * <p>Differs: every stream computes and keeps the rows of the head itself; architecture §4 shares
 * them. They are some forty rows of a thousand, and alone they need no second owner.
 */
final class RoundPlanner {
  /** A run of ids of one part of the prompt. */
  record Part(SegmentKind kind, int[] ids, @Nullable VideoGrid grid) {}

  /** The prompt grammar. */
  interface Prompts {
    /** System turn and {@code previous text} turn: what stands before the first round. */
    List<Part> head(StreamSettings settings);

    /**
     * One user turn and the header of its answer.
     *
     * @param chunk decides the time marker
     * @param first whether it is the stream's first round
     * @param afterTurn whether an assistant turn stands before it, whose newline is still missing
     */
    List<Part> round(
        StreamSettings settings, long chunk, VideoGrid grid, boolean first, boolean afterTurn);
  }

  private final Prompts prompts;
  private final PositionMode positions;
  private final int merge;
  private final double positionsPerSecond;
  private final int framesPerPatch;
  private final @Nullable TuningProfile profile;

  /**
   * @param merge patches of a vision token's side
   * @param framesPerPatch frames that one temporal patch spans
   * @param positionsPerSecond the model's {@code tokens_per_second}
   * @param profile of the device that computes; null: none
   */
  RoundPlanner(
      Prompts prompts,
      PositionMode positions,
      int merge,
      int framesPerPatch,
      double positionsPerSecond,
      @Nullable TuningProfile profile) {
    this.prompts = prompts;
    this.positions = positions;
    this.merge = merge;
    this.framesPerPatch = framesPerPatch;
    this.positionsPerSecond = positionsPerSecond;
    this.profile = profile;
  }

  Prompts prompts() {
    return prompts;
  }

  RoundPlan plan(
      Committed committed,
      StreamSettings settings,
      RetentionPolicy policy,
      RoundInput input,
      VisionClip clip) {
    long round = committed.rounds();
    StreamMemory before =
        input.dropVision() ? policy.dropVision(committed.memory()) : committed.memory();
    StreamMemory kept = policy.compact(before, round);
    VideoGrid grid = grid(clip, settings);

    List<Part> parts = new ArrayList<>();
    boolean first = kept.slices().isEmpty();
    if (first) {
      parts.addAll(prompts.head(settings));
    }
    parts.addAll(prompts.round(settings, input.chunk(), grid, round == 0, endsInTurn(kept)));
    long nextSegment = committed.nextSegment();
    List<Slice> added = new ArrayList<>(parts.size());
    int visionAt = -1; // row of the vision start, from the first row behind the kept ones
    int rows = 0;
    for (Part part : parts) {
      if (part.ids().length == 0) {
        continue;
      }
      boolean head = part.grid() == null && isHead(part.kind());
      if (part.kind() == SegmentKind.VISION) {
        visionAt = rows;
      } else if (part.kind() == SegmentKind.ASSISTANT_CLOSE) {
        // belongs to the turn before and leaves with it
        added.add(slice(nextSegment++, part, lastRound(kept)));
        rows += part.ids().length;
        continue;
      }
      added.add(slice(nextSegment++, part, head ? -1 : round));
      rows += part.ids().length;
    }
    StreamMemory proposed = kept.append(added);
    int room = settings.maxNewTokens();
    int[] ids = proposed.ids();
    return new RoundPlan(
        round,
        clip,
        kept,
        proposed,
        Arrays.copyOfRange(ids, kept.cachedRows(), ids.length),
        kept.rows() - kept.cachedRows() + visionAt + 1,
        grid.tokens(),
        positions.positions(proposed.append(List.of(answer(nextSegment, round, room)))),
        room,
        nextSegment,
        PrefillPlan.of(
            kept.cachedRows(), ids.length - kept.cachedRows(), settings.prefill(), profile));
  }

  /** Stands for the answer's rows when positions are counted. */
  private static Slice answer(long segment, long round, int room) {
    return Slice.whole(new Segment(segment, SegmentKind.GENERATED, round, new int[room], null));
  }

  private static Slice slice(long id, Part part, long round) {
    return Slice.whole(new Segment(id, part.kind(), round, part.ids(), part.grid()));
  }

  private static boolean isHead(SegmentKind kind) {
    return switch (kind) {
      case SYSTEM, MEMORY_OPEN, MEMORY, MEMORY_CLOSE -> true;
      case USER_OPEN,
          MARKER,
          VISION,
          QUERY,
          USER_CLOSE,
          ASSISTANT_OPEN,
          GENERATED,
          ASSISTANT_CLOSE ->
          false;
    };
  }

  private static boolean endsInTurn(StreamMemory memory) {
    return !memory.slices().isEmpty()
        && memory.slices().get(memory.slices().size() - 1).kind() == SegmentKind.GENERATED;
  }

  private static long lastRound(StreamMemory memory) {
    return memory.slices().get(memory.slices().size() - 1).round();
  }

  private VideoGrid grid(VisionClip clip, StreamSettings settings) {
    float step = (float) (framesPerPatch / settings.fps() * positionsPerSecond);
    return new VideoGrid(clip.frames(), clip.height() / merge, clip.width() / merge, step);
  }
}
