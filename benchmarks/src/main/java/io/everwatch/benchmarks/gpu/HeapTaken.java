// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What a thread takes of the Java heap. */
final class HeapTaken {
  private HeapTaken() {}

  /**
   * Bytes that the live threads of this name have allocated since they began, freed ones included.
   */
  static long by(String name) {
    if (!(ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads)) {
      throw new IllegalStateException("this Java counts no bytes of threads; expected OpenJDK's");
    }
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(name))
        .mapToLong(thread -> threads.getThreadAllocatedBytes(thread.getId()))
        .sum();
  }
}
