// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_ab;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_forward_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_inference;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;

/** One of the library's functions, in blocks of fixed sizes; the last one is padded. */
final class OneDnnActivation implements Activation {
  private static final int[] BLOCKS = {4096, 512};

  private final OneDnn library;
  private final dnnl_primitive[] primitives = new dnnl_primitive[BLOCKS.length];
  private final NativeMemory[] memory; // one per thread, input and output
  private final dnnl_memory[][] data; // [threads][blocks]
  private final dnnl_exec_arg_t[][] arguments;

  /**
   * Prepares the function for so many threads.
   *
   * @param algorithm {@code dnnl_eltwise_swish} or another that needs no more than alpha 1
   */
  OneDnnActivation(OneDnn library, int threads, int algorithm) {
    this.library = library;
    memory = new NativeMemory[threads];
    data = new dnnl_memory[threads][BLOCKS.length];
    arguments = new dnnl_exec_arg_t[threads][BLOCKS.length];
    for (int thread = 0; thread < threads; thread++) {
      memory[thread] = NativeMemory.allocate(BLOCKS[0], "activation");
    }
    for (int i = 0; i < BLOCKS.length; i++) {
      dnnl_memory_desc descriptor = OneDnn.descriptor(1, BLOCKS[i], dnnl_ab);
      dnnl_primitive_desc primitive = new dnnl_primitive_desc();
      OneDnn.check(
          dnnl_eltwise_forward_primitive_desc_create(
              primitive,
              library.engine(),
              dnnl_forward_inference,
              algorithm,
              descriptor,
              descriptor,
              1f,
              0f,
              library.attributes()),
          "dnnl_eltwise_forward_primitive_desc_create");
      primitives[i] = new dnnl_primitive();
      OneDnn.check(dnnl_primitive_create(primitives[i], primitive), "dnnl_primitive_create");
      dnnl_primitive_desc_destroy(primitive);
      for (int thread = 0; thread < threads; thread++) {
        dnnl_memory block = library.memory(descriptor, memory[thread].floats());
        data[thread][i] = block;
        arguments[thread][i] = OneDnn.arguments(block, block);
      }
      OneDnn.destroy(descriptor);
    }
  }

  @Override
  public void apply(
      int worker, float[] x, int from, int stride, int rows, int width, float[] to, int at) {
    OpenMp.oneThread();
    NativeMemory own = memory[worker];
    long total = (long) rows * width;
    if (own.elements() < total + BLOCKS[0]) {
      own.close();
      own = NativeMemory.allocate(total + total / 2 + BLOCKS[0], "activation");
      memory[worker] = own;
    }
    for (int row = 0; row < rows; row++) {
      own.put((long) row * width, x, from + row * stride, width);
    }
    for (long done = 0; done < total; ) {
      int block = total - done >= BLOCKS[0] ? 0 : 1;
      OneDnn.check(
          dnnl_memory_set_data_handle(data[worker][block], own.at(done)),
          "dnnl_memory_set_data_handle");
      OneDnn.check(
          dnnl_primitive_execute(primitives[block], library.stream(), 2, arguments[worker][block]),
          "dnnl_primitive_execute (activation)");
      done += BLOCKS[block];
    }
    own.get(0, to, at, Math.toIntExact(total));
  }

  @Override
  public void close() {
    for (int thread = 0; thread < memory.length; thread++) {
      for (int i = 0; i < BLOCKS.length; i++) {
        arguments[thread][i].close();
        dnnl_memory_destroy(data[thread][i]);
      }
      memory[thread].close();
    }
    for (dnnl_primitive primitive : primitives) {
      dnnl_primitive_destroy(primitive);
    }
  }
}
