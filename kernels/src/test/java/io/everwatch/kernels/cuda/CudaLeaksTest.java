// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Context;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.RowPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That nothing stays on a device that others of the process still use. */
@EnabledOnEmulation
class CudaLeaksTest {
  private static final KvShape SHAPE = new KvShape(2, 2, 1, 32, new int[] {8, 4, 4}, 1e6);
  private static final int MOST_CALLS = 500;

  /** Opens the back end and what a model and a stream have on it; closes all. */
  private static void use() {
    try (CudaBackend backend = new CudaBackend(CudaDevice.open(0), DType.BF16);
        Arena arena = backend.arena();
        RowPool pool = backend.rowPool(SHAPE, 128);
        Context context = backend.context(pool)) {
      arena.allocate(4, 64);
      arena.allocateF32(4, 64);
      assertThat(context).isNotNull();
    }
  }

  @Test
  void aBackEndThatIsClosedLeavesNothing() {
    try (CudaDevice other = CudaDevice.open(0)) {
      Emulation.Live before = Emulation.live(0);
      use();
      assertThat(Emulation.live(0)).isEqualTo(before);
      assertThat(other.ownedCount()).isZero();
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"alloc", "pinned", "stream", "event", "module"})
  void whicheverCallIsRefusedNothingIsLeft(String call) {
    try (CudaDevice other = CudaDevice.open(0)) {
      Emulation.Live before = Emulation.live(0);
      int refused = 0;
      for (boolean done = false; !done; ) {
        assertThat(refused).isLessThan(MOST_CALLS);
        Emulation.reset();
        Emulation.set("fail=%s:*:%d:2".formatted(call, refused + 1));
        try {
          use();
          done = true;
        } catch (DeviceException e) {
          assertThat(e.failure()).isEqualTo(Failure.REFUSED);
          refused++;
        }
        assertThat(Emulation.live(0)).as("after %s %d", call, refused).isEqualTo(before);
      }
      assertThat(refused).as("calls that were refused").isPositive();
      assertThat(other.isLost()).isFalse();
    }
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }
}
