// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.StepSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A device has no other room than what was announced. */
class StepSpaceTest {
  /** Passes on to another arena and counts. */
  private static final class CountingArena implements Arena {
    private final Arena arena;
    private StepSpace taken = StepSpace.NONE;

    CountingArena(Arena arena) {
      this.arena = arena;
    }

    @Override
    public DeviceBuffer allocate(long rows, long columns) {
      taken = taken.plus(new StepSpace(rows * columns, 0, 0, 1));
      return arena.allocate(rows, columns);
    }

    @Override
    public DeviceBuffer allocateF32(long rows, long columns) {
      taken = taken.plus(new StepSpace(0, rows * columns, 0, 1));
      return arena.allocateF32(rows, columns);
    }

    @Override
    public void reset() {
      arena.reset();
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  @Test
  void announcesWhatTowerAndDecoderTake() {
    try (Backend cpu = Backends.open("cpu", new BackendOptions(1, true))) {
      Model model = Model.load(ModelFolder.open(GoldenFolder.TINY_A), cpu);
      assertAnnounced(model.tower().space(16 + 24, 2), tower(model, cpu));
      assertAnnounced(model.decoder().space(7, 2), decoder(model, cpu));
    }
  }

  private static StepSpace tower(Model model, Backend cpu) {
    int width = model.config().vision().patchWidth();
    List<Patches> clips = new ArrayList<>();
    clips.add(new Patches(new float[16 * width], 1, 4, 4));
    clips.add(new Patches(new float[24 * width], 1, 4, 6));
    try (CountingArena arena = new CountingArena(cpu.arena())) {
      model.tower().encode(clips, arena);
      return arena.taken;
    }
  }

  private static StepSpace decoder(Model model, Backend cpu) {
    try (RowPool pool = cpu.rowPool(model.decoder().kvShape(), 8);
        Context context = cpu.context(pool);
        CountingArena arena = new CountingArena(cpu.arena())) {
      context.extend(IntStream.range(0, 7).toArray(), new float[3][7]);
      Batch batch =
          cpu.prefillBatch(
              List.of(new Span(context, 0, 7)), new int[7], new int[] {3, 6}, List.of());
      DeviceBuffer x = model.decoder().embed(batch, arena);
      model.decoder().logits(model.decoder().forward(x, batch, arena), batch, arena);
      return arena.taken;
    }
  }

  private static void assertAnnounced(StepSpace announced, StepSpace taken) {
    assertThat(announced.values()).isEqualTo(taken.values());
    assertThat(announced.floats()).isEqualTo(taken.floats());
    assertThat(announced.buffers()).isGreaterThanOrEqualTo(taken.buffers());
  }
}
