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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    /** One user turn and the header of its answer. */
    List<Part> round(StreamSettings settings, UserTurn turn);
  }

  /**
   * What a user turn shows and asks.
   *
   * @param chunk decides the time marker
   * @param grid of its clip; null: it shows nothing
   * @param first whether it is the stream's first round
   * @param afterTurn whether an assistant turn stands before it, whose newline is still missing
   * @param question stands behind the clip; empty: none
   */
  record UserTurn(
      long chunk, @Nullable VideoGrid grid, boolean first, boolean afterTurn, String question) {}

  /**
   * A chunk on its way into the prompt.
   *
   * @param clip null: it is remembered by its words alone
   * @param answer ids of its whole turn; empty: the model answers
   */
  record Given(RoundInput input, @Nullable VisionClip clip, int[] answer) {}

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

  /** Plans the round of one chunk that the model answers. */
  RoundPlan plan(
      Committed committed,
      StreamSettings settings,
      RetentionPolicy policy,
      RoundInput input,
      VisionClip clip) {
    return plan(committed, settings, policy, List.of(new Given(input, clip, new int[0])));
  }

  /**
   * Plans the round of the last of {@code chunks}; those before it are answered.
   *
   * @throws IllegalStateException when words that are not computed yet would move before rows that
   *     are: several chunks at once want a memory without rows, or one that keeps all of them
   */
  RoundPlan plan(
      Committed committed, StreamSettings settings, RetentionPolicy policy, List<Given> chunks) {
    Draft draft = new Draft(committed, settings, policy);
    for (Given chunk : chunks.subList(0, chunks.size() - 1)) {
      draft.add(chunk);
      draft.answer(chunk.answer());
    }
    StreamMemory kept = draft.add(chunks.get(chunks.size() - 1));
    int room = settings.maxNewTokens();
    int[] ids = draft.memory.ids();
    int cached = draft.memory.cachedRows();
    return new RoundPlan(
        draft.round,
        draft.shown(),
        kept,
        draft.memory,
        Arrays.copyOfRange(ids, cached, ids.length),
        draft.entered,
        positions.positions(
            draft.memory.append(
                List.of(
                    slice(
                        draft.nextSegment,
                        new Part(SegmentKind.GENERATED, new int[room], null), // the answer's rows
                        draft.round,
                        draft.memory.nativeEnd())))),
        room,
        draft.nextSegment,
        PrefillPlan.of(cached, ids.length - cached, settings.prefill(), profile));
  }

  /** The memory as round after round is added to it. */
  private final class Draft {
    private final StreamSettings settings;
    private final RetentionPolicy policy;
    private final Map<Long, VisionClip> clips = new HashMap<>(); // by segment
    private StreamMemory memory;
    private long round;
    private long nextSegment;
    private int entered;

    Draft(Committed committed, StreamSettings settings, RetentionPolicy policy) {
      this.settings = settings;
      this.policy = policy;
      this.memory = committed.memory();
      this.round = committed.rounds();
      this.nextSegment = committed.nextSegment();
    }

    /** Compacts, and opens the chunk's round; returns what was kept. */
    StreamMemory add(Given chunk) {
      StreamMemory before = chunk.input().dropVision() ? policy.dropVision(memory) : memory;
      StreamMemory kept = policy.compact(before, round);
      VisionClip clip = chunk.clip();
      VideoGrid grid = clip == null ? null : grid(clip, settings, chunk.input().frames().size());
      List<Part> parts = new ArrayList<>();
      if (kept.slices().isEmpty()) {
        parts.addAll(prompts.head(settings));
      }
      parts.addAll(
          prompts.round(
              settings,
              new UserTurn(
                  chunk.input().chunk(),
                  grid,
                  round == 0,
                  endsInTurn(kept),
                  chunk.input().question())));
      List<Slice> added = new ArrayList<>(parts.size());
      double start = kept.nativeEnd();
      for (Part part : parts) {
        if (part.ids().length > 0) {
          if (clip != null && part.kind() == SegmentKind.VISION) {
            clips.put(nextSegment, clip);
          }
          Slice next = slice(nextSegment++, part, born(part.kind(), kept), start);
          added.add(next);
          entered += next.rows();
          start = next.segment().end();
        }
      }
      memory = kept.append(added);
      return kept;
    }

    /** The newline of the turn before belongs to it and leaves with it. */
    private long born(SegmentKind kind, StreamMemory kept) {
      return isHead(kind) ? -1 : kind == SegmentKind.ASSISTANT_CLOSE ? lastRound(kept) : round;
    }

    /** Closes the round with this turn. */
    void answer(int[] ids) {
      Part turn = new Part(SegmentKind.GENERATED, ids, null);
      entered += ids.length;
      memory = memory.append(List.of(slice(nextSegment++, turn, round, memory.nativeEnd())));
      round++;
    }

    /** The clips among the rows that are not computed yet. */
    List<RoundPlan.Shown> shown() {
      List<RoundPlan.Shown> shown = new ArrayList<>();
      int row = -memory.cachedRows();
      for (Slice slice : memory.slices()) {
        VisionClip clip = clips.get(slice.segment().id());
        VideoGrid grid = slice.segment().grid();
        if (clip != null && grid != null) {
          shown.add(new RoundPlan.Shown(clip, row + 1, grid.tokens())); // behind the start marker
        }
        row += slice.rows();
      }
      return shown;
    }
  }

  private static Slice slice(long id, Part part, long round, double start) {
    return Slice.whole(new Segment(id, part.kind(), round, part.ids(), part.grid(), start));
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

  /** The frames of a chunk are spread evenly over it, whatever the settings say now. */
  private VideoGrid grid(VisionClip clip, StreamSettings settings, int frames) {
    double fps = settings.withGrid(settings.chunkMicros(), frames).fps();
    float step = (float) (framesPerPatch / fps * positionsPerSecond);
    return new VideoGrid(clip.frames(), clip.height() / merge, clip.width() / merge, step);
  }
}
