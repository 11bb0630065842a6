// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_ab;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_inference;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_scratchpad_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_softmax_accurate;
import static org.bytedeco.dnnl.global.dnnl.dnnl_softmax_forward_primitive_desc_create;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;

/**
 * The library's softmax over rows, in place. A primitive is made for a fixed number of rows and a
 * fixed width, so both are rounded up: rows as in {@link RowBlocks}, widths by {@link #width}.
 */
final class SoftmaxKernels implements AutoCloseable {
  private final OneDnn library;
  private final Map<Shape, Kernel> kernels = new ConcurrentHashMap<>();
  private final Map<Shape, Call>[] calls; // one map per thread

  private record Shape(int rows, int width) {}

  private record Kernel(
      dnnl_primitive primitive, dnnl_memory_desc data, dnnl_memory_desc scratch) {}

  private record Call(
      Kernel kernel,
      dnnl_memory data,
      dnnl_memory scratch,
      NativeMemory space,
      dnnl_exec_arg_t arguments) {}

  SoftmaxKernels(OneDnn library, int threads) {
    this.library = library;
    @SuppressWarnings({"unchecked", "rawtypes"}) // no generic arrays in Java
    Map<Shape, Call>[] maps = new Map[threads];
    calls = maps;
    for (int i = 0; i < threads; i++) {
      calls[i] = new HashMap<>();
    }
  }

  /** The width that {@code rows} scores are padded to: at most one sixteenth more, or 63. */
  static int width(int rows) {
    int step = Math.max(64, Integer.highestOneBit(rows) / 16);
    return (rows + step - 1) / step * step;
  }

  /** Rows of the buffer that {@link #apply} may touch for {@code rows} rows. */
  static int paddedRows(int rows) {
    return rows + RowBlocks.LARGEST;
  }

  /** Replaces each of {@code rows} rows of {@code width} scores by its softmax. */
  void apply(int worker, NativeMemory scores, int rows, int width) {
    for (int done = 0; done < rows; ) {
      int block = RowBlocks.size(RowBlocks.next(rows - done, RowBlocks.COUNT - 1));
      Shape shape = new Shape(block, width);
      Call call = calls[worker].get(shape);
      if (call == null) {
        call = newCall(shape);
        calls[worker].put(shape, call);
      }
      OneDnn.check(
          dnnl_memory_set_data_handle(call.data(), scores.at((long) done * width)),
          "dnnl_memory_set_data_handle");
      OneDnn.check(
          dnnl_primitive_execute(call.kernel().primitive(), library.stream(), 3, call.arguments()),
          "dnnl_primitive_execute (softmax)");
      done += block;
    }
  }

  private Call newCall(Shape shape) {
    Kernel kernel = kernels.computeIfAbsent(shape, this::newKernel);
    NativeMemory space =
        NativeMemory.allocate(dnnl_memory_desc_get_size(kernel.scratch()) / 4 + 1, "scratchpad");
    dnnl_memory data = library.memory(kernel.data(), space.floats()); // set before each use
    dnnl_memory scratch = library.memory(kernel.scratch(), space.floats());
    return new Call(kernel, data, scratch, space, OneDnn.arguments(data, data, scratch));
  }

  private Kernel newKernel(Shape shape) {
    dnnl_memory_desc data = OneDnn.descriptor(shape.rows(), shape.width(), dnnl_ab);
    dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
    OneDnn.check(
        dnnl_softmax_forward_primitive_desc_create(
            descriptor,
            library.engine(),
            dnnl_forward_inference,
            dnnl_softmax_accurate,
            data,
            data,
            1,
            library.attributes()),
        "dnnl_softmax_forward_primitive_desc_create " + shape);
    dnnl_memory_desc scratch = OneDnn.query(descriptor, dnnl_query_scratchpad_md);
    dnnl_primitive primitive = new dnnl_primitive();
    OneDnn.check(dnnl_primitive_create(primitive, descriptor), "dnnl_primitive_create");
    dnnl_primitive_desc_destroy(descriptor);
    return new Kernel(primitive, data, scratch);
  }

  @Override
  public void close() {
    for (Map<Shape, Call> perThread : calls) {
      for (Call call : perThread.values()) {
        call.arguments().close();
        dnnl_memory_destroy(call.data());
        dnnl_memory_destroy(call.scratch());
        call.space().close();
      }
    }
    for (Kernel kernel : kernels.values()) {
      dnnl_primitive_destroy(kernel.primitive());
      OneDnn.destroy(kernel.data());
      OneDnn.destroy(kernel.scratch());
    }
  }
}
