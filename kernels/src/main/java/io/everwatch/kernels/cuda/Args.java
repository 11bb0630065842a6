// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;

/**
 * The arguments of a launch in the order of the kernel's parameters, packed at their natural
 * alignment as the driver wants them. One block per kernel, written anew for each launch, makes no
 * garbage. Belongs to one thread at a time; the driver copies it during the launch.
 */
final class Args {
  private static final int CAPACITY = 512;

  private final ByteBuffer block =
      ByteBuffer.allocateDirect(CAPACITY).order(ByteOrder.nativeOrder());
  private final ByteBuffer size = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
  private final Pointer extra =
      Pointer.to(
          JCudaDriver.CU_LAUNCH_PARAM_BUFFER_POINTER,
          Pointer.to(block),
          JCudaDriver.CU_LAUNCH_PARAM_BUFFER_SIZE,
          Pointer.to(size),
          JCudaDriver.CU_LAUNCH_PARAM_END);
  // What each argument is, for messages.
  private final byte[] kinds = new byte[CAPACITY / 4];
  private int count;

  /** Begins anew. */
  Args clear() {
    block.clear();
    count = 0;
    return this;
  }

  /** A device address. */
  Args pointer(long address) {
    align(Long.BYTES, 'p');
    block.putLong(address);
    return this;
  }

  /** {@code int} or {@code unsigned}. */
  Args i32(int value) {
    align(Integer.BYTES, 'i');
    block.putInt(value);
    return this;
  }

  /** {@code long long}, {@code size_t}, {@code uint64_t}. */
  Args i64(long value) {
    align(Long.BYTES, 'l');
    block.putLong(value);
    return this;
  }

  Args f32(float value) {
    align(Float.BYTES, 'f');
    block.putFloat(value);
    return this;
  }

  private void align(int bytes, char kind) {
    block.position((block.position() + bytes - 1) / bytes * bytes);
    kinds[count++] = (byte) kind;
  }

  /** What {@code cuLaunchKernel} takes as {@code extra}. */
  Pointer extra() {
    size.putLong(0, block.position());
    return extra;
  }

  /** Takes over another's arguments, for a message later on. */
  void copyFrom(Args other) {
    clear();
    block.put(0, other.block, 0, other.block.position());
    System.arraycopy(other.kinds, 0, kinds, 0, other.count);
    count = other.count;
  }

  /** {@code (0x7f00a000, 64, 1.0E-6)}. */
  @Override
  public String toString() {
    String[] words = new String[count];
    int at = 0;
    for (int i = 0; i < count; i++) {
      int bytes = kinds[i] == 'p' || kinds[i] == 'l' ? 8 : 4;
      at = (at + bytes - 1) / bytes * bytes;
      words[i] =
          switch (kinds[i]) {
            case 'p' -> "0x" + Long.toHexString(block.getLong(at));
            case 'l' -> Long.toString(block.getLong(at));
            case 'f' -> Float.toString(block.getFloat(at));
            default -> Integer.toString(block.getInt(at));
          };
      at += bytes;
    }
    return "(" + String.join(", ", Arrays.asList(words)) + ")";
  }
}
