// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.StepSpace;
import io.everwatch.operators.model.Decoder;
import io.everwatch.operators.model.VisionClip;
import io.everwatch.operators.model.VisionTower;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The vision rows of a step. The tower sees whole frame pairs, so a piece of a long prompt gets the
 * pairs that begin in it; what a cut leaves over of the last one is kept for the piece behind it.
 * That is a cache and no more: rows that are not there when they are wanted (another round was cut
 * in between, the round began anew, a pair was too large to keep) are computed again, to the same
 * bits.
 */
final class VisionStep implements AutoCloseable {
  private final VisionTower tower;
  private final Decoder decoder;
  private final Arena arena; // of one step
  private final Arena keeper; // of what is left over
  private final int mostKept;
  private final List<Run> runs = new ArrayList<>();
  private @Nullable Rest rest; // kept
  private int used; // rows of it that this step takes
  private @Nullable Rest left; // by this step, in its arena

  /** Rows {@code [first, first + count)} of a buffer. */
  private record Run(DeviceBuffer rows, int first, int count) {
    /** This and the rows behind it, when the other one begins with those. */
    @Nullable Run joined(Run behind) {
      return rows == behind.rows && first + count == behind.first
          ? new Run(rows, first, count + behind.count)
          : null;
    }
  }

  /**
   * Rows of a clip from {@code from} on, up to the end of a frame pair.
   *
   * @param clip held weakly: a round that was released gives its pictures back
   */
  private record Rest(WeakReference<VisionClip> clip, int from, Run rows) {
    boolean begins(VisionRows wanted) {
      return clip.refersTo(wanted.clip()) && from == wanted.from();
    }

    /** Without the first rows; null when nothing is left. */
    @Nullable Rest without(int taken) {
      return taken == rows.count
          ? null
          : new Rest(
              clip, from + taken, new Run(rows.rows, rows.first + taken, rows.count - taken));
    }
  }

  /** Makes room for a step's rows at once. */
  VisionStep(Backend backend, VisionTower tower, Decoder decoder, NetworkLimits limits) {
    this.tower = tower;
    this.decoder = decoder;
    this.arena = backend.arena();
    this.keeper = backend.arena();
    this.mostKept = limits.batchRows();
    int patches = Math.multiplyExact(limits.batchRows(), tower.patchesPerRow());
    arena.reset(tower.space(patches, limits.batchRounds()));
    keeper.reset(new StepSpace(0, (long) mostKept * tower.outWidth(), mostKept, 2));
  }

  /** What the step before made is gone, but for what was kept of it. */
  void begin() {
    runs.clear();
    used = 0;
    left = null;
    arena.reset();
  }

  /** Sees to it that these rows are there, in this order. */
  void encode(List<VisionRows> wanted) {
    List<VisionClip> pairs = new ArrayList<>();
    for (VisionRows rows : wanted) {
      int from = rows.from() + kept(rows);
      if (from < rows.to()) {
        int perPair = tower.rows(rows.clip()) / rows.clip().frames();
        pairs.add(rows.clip().pairs(from / perPair, (rows.to() + perPair - 1) / perPair));
      }
    }
    DeviceBuffer encoded = null;
    if (!pairs.isEmpty()) {
      arena.reset(tower.space(pairs));
      encoded = tower.encode(pairs, arena);
    }
    int row = 0; // of encoded
    for (VisionRows rows : wanted) {
      int taken = kept(rows);
      if (taken > 0 && rest != null) {
        add(new Run(rest.rows.rows, rest.rows.first, taken));
        used = taken;
      }
      int from = rows.from() + taken;
      if (from < rows.to() && encoded != null) {
        int perPair = tower.rows(rows.clip()) / rows.clip().frames();
        int skipped = from % perPair;
        add(new Run(encoded, row + skipped, rows.to() - from));
        row += skipped + rows.to() - from;
        int behind = (perPair - rows.to() % perPair) % perPair;
        if (behind > 0) {
          left =
              new Rest(new WeakReference<>(rows.clip()), rows.to(), new Run(encoded, row, behind));
        }
        row += behind;
      }
    }
  }

  /** How many of the first of these rows were left over. */
  private int kept(VisionRows wanted) {
    return rest != null && rest.begins(wanted) ? Math.min(rest.rows.count, wanted.count()) : 0;
  }

  private void add(Run run) {
    int last = runs.size() - 1;
    Run joined = last < 0 ? null : runs.get(last).joined(run);
    if (joined == null) {
      runs.add(run);
    } else {
      runs.set(last, joined);
    }
  }

  /** Copies that {@link #place} makes. */
  int copies() {
    return runs.size();
  }

  /**
   * Puts the rows into the embeddings, and away what is left over.
   *
   * @param pads row of {@code x} for each row
   * @param x {@code [T, C]}
   */
  void place(int[] pads, DeviceBuffer x) {
    int at = 0;
    for (Run run : runs) {
      decoder.placeVision(run.rows, run.first, Arrays.copyOfRange(pads, at, at + run.count), x);
      at += run.count;
    }
    if (left != null) {
      rest = keep(left);
    } else if (rest != null && used > 0) {
      rest = rest.without(used);
    }
  }

  private @Nullable Rest keep(Rest made) {
    rest = null;
    keeper.reset();
    Run from = made.rows;
    if (from.count > mostKept) {
      return null;
    }
    DeviceBuffer kept = keeper.allocateF32(from.count, tower.outWidth());
    int[] places = new int[from.count];
    Arrays.setAll(places, i -> i);
    decoder.placeVision(from.rows, from.first, places, kept);
    return new Rest(made.clip, made.from, new Run(kept, 0, from.count));
  }

  @Override
  public void close() {
    runs.clear();
    rest = null;
    left = null;
    try (keeper;
        arena) {
      // Closed in the reverse order, each whatever the other does.
    }
  }
}
