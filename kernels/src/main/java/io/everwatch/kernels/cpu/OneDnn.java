// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2_vnni;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2_vnni_2;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_amx;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_amx_fp16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_fp16;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_vnni;
import static org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_sse41;
import static org.bytedeco.dnnl.global.dnnl.dnnl_engine_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_engine_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_f32;
import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_clone;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_create_with_tag;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_attr_set_scratchpad_mode;
import static org.bytedeco.dnnl.global.dnnl.dnnl_primitive_desc_query_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_scratchpad_mode_user;
import static org.bytedeco.dnnl.global.dnnl.dnnl_set_verbose;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_create;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_default_flags;
import static org.bytedeco.dnnl.global.dnnl.dnnl_stream_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_success;
import static org.bytedeco.dnnl.global.dnnl.dnnl_version;

import io.everwatch.kernels.DeviceException;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * The loaded library: an engine, one stream, and the few calls that everybody makes. Execution
 * waits: a CPU stream of the library runs in the calling thread.
 */
final class OneDnn implements AutoCloseable {
  private final dnnl_engine engine = new dnnl_engine();
  private final dnnl_stream stream = new dnnl_stream();
  private final dnnl_primitive_attr attributes = new dnnl_primitive_attr();

  private OneDnn() {}

  /**
   * Loads the library.
   *
   * @throws LinkageError or RuntimeException where it cannot be loaded
   */
  static OneDnn load() {
    Loader.load(org.bytedeco.dnnl.global.dnnl.class);
    check(dnnl_set_verbose(0), "dnnl_set_verbose"); // prints to standard output otherwise
    OneDnn library = new OneDnn();
    check(dnnl_engine_create(library.engine, dnnl_cpu, 0), "dnnl_engine_create");
    check(
        dnnl_stream_create(library.stream, library.engine, dnnl_stream_default_flags),
        "dnnl_stream_create");
    check(dnnl_primitive_attr_create(library.attributes), "dnnl_primitive_attr_create");
    // The library's own scratchpad belongs to the thread that made the primitive; ours run
    // anywhere.
    check(
        dnnl_primitive_attr_set_scratchpad_mode(library.attributes, dnnl_scratchpad_mode_user),
        "dnnl_primitive_attr_set_scratchpad_mode");
    return library;
  }

  dnnl_engine engine() {
    return engine;
  }

  dnnl_stream stream() {
    return stream;
  }

  /** Scratch memory comes from the caller. */
  dnnl_primitive_attr attributes() {
    return attributes;
  }

  /** Version and instruction set, e.g. {@code oneDNN 3.8.1 avx512_core_bf16}. */
  static String identity() {
    dnnl_version_t version = dnnl_version();
    return "oneDNN %d.%d.%d %s"
        .formatted(version.major(), version.minor(), version.patch(), instructionSet());
  }

  private static String instructionSet() {
    int isa = dnnl_get_effective_cpu_isa();
    record Known(int code, String name) {}
    Known[] known = {
      new Known(dnnl_cpu_isa_sse41, "sse41"),
      new Known(dnnl_cpu_isa_avx, "avx"),
      new Known(dnnl_cpu_isa_avx2, "avx2"),
      new Known(dnnl_cpu_isa_avx2_vnni, "avx2_vnni"),
      new Known(dnnl_cpu_isa_avx2_vnni_2, "avx2_vnni_2"),
      new Known(dnnl_cpu_isa_avx512_core, "avx512_core"),
      new Known(dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"),
      new Known(dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"),
      new Known(dnnl_cpu_isa_avx512_core_fp16, "avx512_core_fp16"),
      new Known(dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"),
      new Known(dnnl_cpu_isa_avx512_core_amx_fp16, "avx512_core_amx_fp16"),
    };
    for (Known one : known) {
      if (one.code() == isa) {
        return one.name();
      }
    }
    return "isa_0x" + Integer.toHexString(isa);
  }

  /** A float32 descriptor of two dimensions. */
  static dnnl_memory_desc descriptor(long rows, long columns, int tag) {
    dnnl_memory_desc descriptor = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_create_with_tag(descriptor, 2, new long[] {rows, columns}, dnnl_f32, tag),
        "dnnl_memory_desc_create [%d, %d]".formatted(rows, columns));
    return descriptor;
  }

  /** A copy of the first descriptor that {@code what} names, to be destroyed by the caller. */
  static dnnl_memory_desc query(dnnl_primitive_desc descriptor, int what) {
    dnnl_memory_desc copy = new dnnl_memory_desc();
    check(
        dnnl_memory_desc_clone(copy, dnnl_primitive_desc_query_md(descriptor, what, 0)),
        "dnnl_memory_desc_clone");
    return copy;
  }

  static void destroy(dnnl_memory_desc descriptor) {
    check(dnnl_memory_desc_destroy(descriptor), "dnnl_memory_desc_destroy");
  }

  /** A memory object over {@code data}, which it does not own. */
  dnnl_memory memory(dnnl_memory_desc descriptor, Pointer data) {
    dnnl_memory memory = new dnnl_memory();
    check(dnnl_memory_create(memory, descriptor, engine, data), "dnnl_memory_create");
    return memory;
  }

  private static final int[] ROLES = {
    DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD, DNNL_ARG_WEIGHTS
  };

  /** Arguments in this order: source, destination, scratchpad, weights; the last may be absent. */
  static dnnl_exec_arg_t arguments(dnnl_memory... memories) {
    dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(memories.length);
    for (int i = 0; i < memories.length; i++) {
      arguments.position(i).arg(ROLES[i]).memory(memories[i]);
    }
    arguments.position(0);
    return arguments;
  }

  /** Turns a status of the library into an exception. */
  static void check(int status, String call) {
    if (status != dnnl_success) {
      throw new DeviceException(
          DeviceException.Failure.REFUSED,
          "%s returned status %d where 0 was expected;".formatted(call, status)
              + " 1 means that the library got no memory, 3 that it has no kernel for the shape");
    }
  }

  @Override
  public void close() {
    dnnl_primitive_attr_destroy(attributes);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
  }
}
