// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.Batches;
import io.everwatch.kernels.BlockSelection.Head;
import io.everwatch.kernels.BlockSelector;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import io.everwatch.kernels.Samples;
import io.everwatch.kernels.Span;
import io.everwatch.kernels.sparse.SparsePass.Result;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pooled keys are kept from piece to piece; a piece that is computed anew has other ones. */
class CpuSparsePiecesTest {
  private static final FlexPrefill FLEX = new FlexPrefill(32, 0.8, 0.2, 32, 0, false);

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPieceChoosesAsIfNothingHadBeenChosenBefore(boolean plain) {
    try (Pieces pieces = new Pieces(plain);
        Context kept = pieces.context();
        Context fresh = pieces.context()) {
      pieces.attend(kept, 96, 1, FLEX);
      pieces.attend(kept, 128, 2, FLEX);
      pieces.attend(kept, 77, 3, FLEX);
      Result actual = pieces.compute(kept, 77, 4, FLEX);

      pieces.attend(fresh, 96, 1, null);
      pieces.attend(fresh, 128, 2, null);
      Result expected = pieces.attend(fresh, 77, 4, FLEX);

      assertThat(actual.out()).isEqualTo(expected.out());
      assertThat(actual.chosen().lse()).isEqualTo(expected.chosen().lse());
      for (int head = 0; head < 6; head++) {
        Head one = actual.chosen().heads().get(head);
        Head other = expected.chosen().heads().get(head);
        assertThat(one.mask()).as("head %d", head).isEqualTo(other.mask());
        assertThat(one.probe().orElseThrow().estimate())
            .as("head %d", head)
            .isEqualTo(other.probe().orElseThrow().estimate());
      }
    }
  }

  /** A prompt computed piece by piece; what a piece holds follows from its seed. */
  private static final class Pieces implements AutoCloseable {
    private static final KvShape SHAPE = new KvShape(1, 6, 3, 16, new int[] {8, 0, 0}, 10_000);
    private static final int OUT_WIDTH = 6 * 16;
    private static final int WIDTH = OUT_WIDTH + 2 * 3 * 16;

    private final Backend backend;
    private final Arena arena;
    private final RowPool pool;

    Pieces(boolean plain) {
      backend = Backends.open("cpu", new BackendOptions(1, plain));
      arena = backend.arena();
      pool = backend.rowPool(SHAPE, 1000);
    }

    Context context() {
      return backend.context(pool);
    }

    int[] slots(Context context, int rows) {
      return IntStream.range(context.rows(), context.rows() + rows).toArray();
    }

    Result attend(Context context, int rows, long seed, @Nullable BlockSelector selector) {
      context.extend(slots(context, rows), new float[3][rows]);
      return compute(context, rows, seed, selector);
    }

    /** The context's last rows. */
    Result compute(Context context, int rows, long seed, @Nullable BlockSelector selector) {
      float[] values = Samples.gaussian(seed, rows * WIDTH);
      DeviceBuffer in = arena.allocate(rows, WIDTH);
      DeviceBuffer out = arena.allocate(rows, OUT_WIDTH);
      backend.upload(values, 0, values.length, in);
      Batch batch = Batches.of(backend, List.of(new Span(context, 0, rows, selector)));
      backend.attend(0, in, batch, out);
      float[] result = new float[rows * OUT_WIDTH];
      backend.download(out, 0, result, 0, result.length);
      return new Result(result, selector == null ? null : backend.selection(batch, 0));
    }

    @Override
    public void close() {
      pool.close();
      arena.close();
      backend.close();
    }
  }
}
