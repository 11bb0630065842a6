// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.Samples;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Arrays arrive whole however often the ring goes round before the device has read it. */
@RequiresDevice
class UploadRingTest {
  private static final int PIECES = 3;
  private static final int PIECE_BYTES = 64;

  private CudaDevice device;
  private CudaStream stream;
  private UploadRing ring;
  private DeviceArrays arrays;

  @BeforeEach
  void open() {
    if (Emulation.isPresent()) {
      Emulation.set("streams=lazy"); // nothing is read before somebody waits for it
    }
    device = CudaDevice.open(0);
    stream = CudaStream.open(device);
    ring = new UploadRing(stream, PIECES, PIECE_BYTES);
    arrays = new DeviceArrays(device);
  }

  @AfterEach
  void close() {
    stream.synchronize();
    arrays.close();
    ring.close();
    stream.close();
    device.close();
  }

  @Test
  void arraysOfAllTypesArriveOneAfterTheOther() {
    byte[] bytes = new byte[1001];
    new Random(1).nextBytes(bytes);
    int[] ints = Samples.permutation(2, 333);
    float[] floats = Samples.gaussian(3, 517);
    long byteAddress = arrays.bytes(bytes.length);
    long intAddress = arrays.bytes(4L * ints.length);
    long floatAddress = arrays.bytes(4L * floats.length);
    long halfAddress = arrays.bytes(2L * 500);

    ring.upload(bytes, byteAddress);
    ring.upload(ints, intAddress);
    ring.upload(floats, 0, floats.length, DType.F32, floatAddress);
    ring.upload(floats, 17, 500, DType.BF16, halfAddress);
    stream.synchronize();

    byte[] got = new byte[bytes.length];
    new BlockingCopies(device).read(byteAddress, got);
    assertThat(got).isEqualTo(bytes);
    assertThat(arrays.ints(intAddress, ints.length)).isEqualTo(ints);
    assertThat(arrays.floats(floatAddress, floats.length)).isEqualTo(floats);
    assertThat(arrays.bits(halfAddress, 500))
        .isEqualTo(Bf16.of(Arrays.copyOfRange(floats, 17, 517)));
  }

  @Test
  void smallUploadsShareAPieceAndKeepTheirOrder() {
    long address = arrays.bytes(64);
    for (int i = 0; i < 100; i++) {
      ring.upload(new int[] {i}, address); // the last one counts
      ring.upload(new int[] {-i}, address + 4);
    }
    stream.synchronize();
    assertThat(arrays.ints(address, 2)).containsExactly(99, -99);
  }

  @Test
  void refusesAnIndivisibleUploadLargerThanAPiece() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ring.upload(ByteBuffer.allocate(PIECE_BYTES + 1), arrays.bytes(100)))
        .withMessageContaining("65 bytes in one; expected at most 64");
  }
}
