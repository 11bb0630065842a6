// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the library's OpenMP to the calling thread: parallelism is {@link CpuThreads}' business,
 * and a team per Java thread would multiply with it.
 *
 * <p>OpenMP keeps the number per thread, and {@code omp_set_num_threads} is not in the binding. The
 * binding can call a function of one pointer argument, as which it frees native objects; in the
 * calling convention of x86-64 an {@code int} argument travels the same way.
 */
final class OpenMp {
  private static final Logger LOG = LoggerFactory.getLogger(OpenMp.class);
  private static final String FUNCTION = "omp_set_num_threads";
  private static final ThreadLocal<boolean[]> DONE = ThreadLocal.withInitial(() -> new boolean[1]);

  private OpenMp() {}

  /** Called before each native computation; after the first time in a thread it costs nothing. */
  static void oneThread() {
    boolean[] done = DONE.get();
    if (!done[0]) {
      done[0] = true;
      setThreads(1);
    }
  }

  private static void setThreads(long count) {
    if ("1".equals(System.getenv("OMP_NUM_THREADS"))) {
      return;
    }
    try {
      Pointer function = Loader.addressof(FUNCTION);
      if (function == null) {
        makeGlobal();
        function = Loader.addressof(FUNCTION);
      }
      if (function == null) {
        throw new IllegalStateException("no symbol " + FUNCTION);
      }
      Class<?> caller = Class.forName("org.bytedeco.javacpp.Pointer$NativeDeallocator");
      Constructor<?> constructor =
          caller.getDeclaredConstructor(Pointer.class, long.class, long.class);
      constructor.setAccessible(true);
      Method call = caller.getMethod("deallocate");
      try (Pointer owner = new Pointer()) {
        call.invoke(constructor.newInstance(owner, count, function.address()));
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.warn(
          "Cannot set the number of OpenMP threads ({}); each thread of the CPU back end may start"
              + " as many as the machine has cores. Start the process with OMP_NUM_THREADS=1.",
          e.toString());
    }
  }

  /** Libraries are loaded privately; the symbol is found once its library is made global. */
  private static void makeGlobal() {
    for (Map.Entry<String, String> library : Loader.getLoadedLibraries().entrySet()) {
      if (library.getKey().contains("gomp") || library.getKey().contains("iomp")) {
        Loader.loadGlobal(library.getValue());
      }
    }
  }
}
