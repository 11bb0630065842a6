// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.KvShape;
import org.junit.jupiter.api.Test;

class RowHeapTest {
  private static final long MIB = 1 << 20;

  @Test
  void takesHalfOfASmallHeapAnd256MebibytesOfALargeOne() {
    assertThat(new RowHeap(328 * MIB).bytes(0)).isEqualTo(164 * MIB);
    assertThat(new RowHeap(6144 * MIB).bytes(0)).isEqualTo(256 * MIB);
  }

  @Test
  void givesWhatIsAskedForUpToHalfOfTheHeap() {
    assertThat(new RowHeap(328 * MIB).bytes(164 * MIB)).isEqualTo(164 * MIB);
    assertThat(new RowHeap(6144 * MIB).bytes(3000 * MIB)).isEqualTo(3000 * MIB);
  }

  @Test
  void refusesWhatTheHeapHasNoRoomForAndSaysWhatWould() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RowHeap(328 * MIB).bytes(256 * MIB))
        .withMessageContaining("268,435,456 bytes (engine.kv-memory)")
        .withMessageContaining("of which there are 343,932,928; expected at most 171,966,464")
        .withMessageContaining("a heap of 512 MiB or more (-Xmx; on a cluster taskmanager.memory");
  }

  @Test
  void isAskedByTheBackEnd() {
    KvShape shape = new KvShape(4, 6, 2, 32, new int[] {4, 6, 6}, 1e4);
    long heap = Runtime.getRuntime().maxMemory();
    try (Backend cpu = Backends.open("cpu", new BackendOptions(1, true))) {
      assertThat(cpu.slots(shape, heap / 4)).isEqualTo((int) (heap / 4 / 2048));
      assertThat(cpu.slots(shape, 0)).isBetween(1, (int) (256 * MIB / 2048));
      assertThatIllegalArgumentException().isThrownBy(() -> cpu.slots(shape, heap));
    }
  }
}
