// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_ab;
import static org.bytedeco.dnnl.global.dnnl.dnnl_ba;
import static org.bytedeco.dnnl.global.dnnl.dnnl_format_tag_any;
import static org.bytedeco.dnnl.global.dnnl.dnnl_matmul_primitive_desc_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_set_data_handle;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_execute;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_scratchpad_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_weights_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;

import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.jspecify.annotations.Nullable;

/**
 * The library's products with weights of one shape {@code [rows, columns]}, one primitive per row
 * block, all reading the same packed layout. Shared by all weights of the shape.
 */
final class MatmulKernels implements AutoCloseable {
  private final OneDnn library;
  private final int rows;
  private final int columns;
  private final dnnl_memory_desc packed;
  private final dnnl_primitive[] primitives = new dnnl_primitive[RowBlocks.COUNT];
  private final NativeMemory[] scratch;
  private final dnnl_memory_desc[] scratchDescriptors = new dnnl_memory_desc[RowBlocks.COUNT];
  private final @Nullable Call[][] calls; // [threads][row blocks]

  /** Memory objects of one thread; they may be used by one execution at a time. */
  private record Call(
      dnnl_memory x, dnnl_memory y, dnnl_memory w, dnnl_memory s, dnnl_exec_arg_t arguments) {}

  MatmulKernels(OneDnn library, int rows, int columns, int threads) {
    this.library = library;
    this.rows = rows;
    this.columns = columns;
    this.calls = new Call[threads][RowBlocks.COUNT];
    this.scratch = new NativeMemory[threads];
    dnnl_memory_desc any =
        OneDnn.descriptor(/* rows= */ columns, /* columns= */ rows, dnnl_format_tag_any);
    dnnl_primitive_desc largest = describe(RowBlocks.LARGEST, any);
    packed = OneDnn.query(largest, dnnl_query_weights_md);
    dnnl_primitive_desc_destroy(largest);
    OneDnn.destroy(any);
    long scratchBytes = 0;
    for (int i = 0; i < RowBlocks.COUNT; i++) {
      dnnl_primitive_desc descriptor = describe(RowBlocks.size(i), packed);
      scratchDescriptors[i] = OneDnn.query(descriptor, dnnl_query_scratchpad_md);
      scratchBytes = Math.max(scratchBytes, dnnl_memory_desc_get_size(scratchDescriptors[i]));
      primitives[i] = new dnnl_primitive();
      OneDnn.check(dnnl_primitive_create(primitives[i], descriptor), "dnnl_primitive_create");
      dnnl_primitive_desc_destroy(descriptor);
    }
    for (int thread = 0; thread < threads; thread++) {
      scratch[thread] = NativeMemory.allocate(scratchBytes / 4 + 1, "scratchpad");
    }
  }

  private dnnl_primitive_desc describe(int tokens, dnnl_memory_desc weights) {
    dnnl_memory_desc x = OneDnn.descriptor(tokens, columns, dnnl_ab);
    dnnl_memory_desc y = OneDnn.descriptor(tokens, rows, dnnl_ab);
    dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
    int status =
        dnnl_matmul_primitive_desc_create(
            descriptor, library.engine(), x, weights, null, y, library.attributes());
    OneDnn.destroy(x);
    OneDnn.destroy(y);
    OneDnn.check(
        status, "dnnl_matmul_primitive_desc_create [%d, %d, %d]".formatted(tokens, rows, columns));
    return descriptor;
  }

  int rows() {
    return rows;
  }

  int columns() {
    return columns;
  }

  /** Lays out {@code plain}, {@code [rows, columns]} row-major, for these products. */
  NativeMemory pack(NativeMemory plain, String name) {
    NativeMemory target =
        NativeMemory.allocate(dnnl_memory_desc_get_size(packed) / 4 + 1, "weights " + name);
    dnnl_memory_desc stored = OneDnn.descriptor(/* rows= */ columns, /* columns= */ rows, dnnl_ba);
    dnnl_memory from = library.memory(stored, plain.floats());
    dnnl_memory to = library.memory(packed, target.floats());
    dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
    OneDnn.check(
        dnnl_reorder_primitive_desc_create(
            descriptor, stored, library.engine(), packed, library.engine(), library.attributes()),
        "dnnl_reorder_primitive_desc_create " + name);
    dnnl_memory_desc scratchDescriptor = OneDnn.query(descriptor, dnnl_query_scratchpad_md);
    try (NativeMemory space =
        NativeMemory.allocate(dnnl_memory_desc_get_size(scratchDescriptor) / 4 + 1, "reorder")) {
      dnnl_memory spaceMemory = library.memory(scratchDescriptor, space.floats());
      dnnl_primitive reorder = new dnnl_primitive();
      OneDnn.check(dnnl_primitive_create(reorder, descriptor), "dnnl_primitive_create");
      try (dnnl_exec_arg_t arguments = OneDnn.arguments(from, to, spaceMemory)) {
        OneDnn.check(
            dnnl_primitive_execute(reorder, library.stream(), 3, arguments), "reorder " + name);
      }
      dnnl_primitive_destroy(reorder);
      dnnl_memory_destroy(spaceMemory);
    }
    OneDnn.destroy(scratchDescriptor);
    dnnl_primitive_desc_destroy(descriptor);
    dnnl_memory_destroy(from);
    dnnl_memory_destroy(to);
    OneDnn.destroy(stored);
    return target;
  }

  /** Multiplies one block: x and y lie at the start of the thread's staging memory. */
  void multiply(int thread, int block, Staging staging, NativeMemory weights) {
    Call call = calls[thread][block];
    if (call == null) {
      call = newCall(thread, block);
      calls[thread][block] = call;
    }
    staging.point(call.x(), call.y());
    OneDnn.check(
        dnnl_memory_set_data_handle(call.w(), weights.floats()), "dnnl_memory_set_data_handle");
    OneDnn.check(
        dnnl_primitive_execute(primitives[block], library.stream(), 4, call.arguments()),
        "dnnl_primitive_execute (product)");
  }

  private Call newCall(int thread, int block) {
    int tokens = RowBlocks.size(block);
    dnnl_memory_desc xDescriptor = OneDnn.descriptor(tokens, columns, dnnl_ab);
    dnnl_memory_desc yDescriptor = OneDnn.descriptor(tokens, rows, dnnl_ab);
    dnnl_memory x = library.memory(xDescriptor, scratch[thread].floats());
    dnnl_memory y = library.memory(yDescriptor, scratch[thread].floats());
    dnnl_memory w = library.memory(packed, scratch[thread].floats());
    dnnl_memory s = library.memory(scratchDescriptors[block], scratch[thread].floats());
    OneDnn.destroy(xDescriptor);
    OneDnn.destroy(yDescriptor);
    return new Call(x, y, w, s, OneDnn.arguments(x, y, s, w));
  }

  @Override
  public void close() {
    for (@Nullable Call[] perThread : calls) {
      for (Call call : perThread) {
        if (call != null) {
          call.arguments().close();
          dnnl_memory_destroy(call.x());
          dnnl_memory_destroy(call.y());
          dnnl_memory_destroy(call.w());
          dnnl_memory_destroy(call.s());
        }
      }
    }
    for (int i = 0; i < RowBlocks.COUNT; i++) {
      dnnl_primitive_destroy(primitives[i]);
      OneDnn.destroy(scratchDescriptors[i]);
    }
    OneDnn.destroy(packed);
    for (NativeMemory memory : scratch) {
      memory.close();
    }
  }
}
