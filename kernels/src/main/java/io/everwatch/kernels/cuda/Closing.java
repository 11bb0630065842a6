// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Closes several things, the last first, each whatever becomes of the others. */
final class Closing {
  private Closing() {}

  /**
   * Closes all.
   *
   * @param things emptied
   */
  static void all(List<? extends AutoCloseable> things) {
    RuntimeException failure = null;
    for (int i = things.size() - 1; i >= 0; i--) {
      try {
        things.get(i).close();
      } catch (RuntimeException e) {
        failure = joined(failure, e);
      } catch (Exception e) {
        failure = joined(failure, new IllegalStateException(e)); // nothing here declares any
      }
    }
    things.clear();
    if (failure != null) {
      throw failure;
    }
  }

  private static RuntimeException joined(@Nullable RuntimeException first, RuntimeException next) {
    if (first == null) {
      return next;
    }
    first.addSuppressed(next);
    return first;
  }
}
