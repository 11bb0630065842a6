// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;

import org.bytedeco.dnnl.dnnl_memory;

/**
 * Native input and output of one thread. Activations live on the heap, where plain loops over them
 * are fast; the binding would copy a heap argument whole, so what the library needs is copied here.
 */
final class Staging implements AutoCloseable {
  private NativeMemory x = NativeMemory.allocate(1 << 14, "staging");
  private NativeMemory y = NativeMemory.allocate(1 << 14, "staging");

  /** Makes room for an input and an output of so many elements; their content may be lost. */
  void reserve(long input, long output) {
    if (input > x.elements()) {
      x.close();
      x = NativeMemory.allocate(input + input / 2, "staging");
    }
    if (output > y.elements()) {
      y.close();
      y = NativeMemory.allocate(output + output / 2, "staging");
    }
  }

  NativeMemory x() {
    return x;
  }

  NativeMemory y() {
    return y;
  }

  void point(dnnl_memory input, dnnl_memory output) {
    OneDnn.check(dnnl_memory_set_data_handle(input, x.floats()), "dnnl_memory_set_data_handle");
    OneDnn.check(dnnl_memory_set_data_handle(output, y.floats()), "dnnl_memory_set_data_handle");
  }

  @Override
  public void close() {
    x.close();
    y.close();
  }
}
