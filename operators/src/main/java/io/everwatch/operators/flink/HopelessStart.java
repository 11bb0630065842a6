// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import org.apache.flink.runtime.execution.SuppressRestartsException;

/** Faults of a start that no other try mends: a wrong jar, a missing model. */
final class HopelessStart {
  private HopelessStart() {}

  /**
   * What to throw: at a task's first attempt something that ends the job, with the cause for who
   * started it. A job that ran before is not ended because a TaskManager that came later is wrong:
   * it is tried again, elsewhere or when that is mended.
   *
   * @param attempt of the task, from 0
   */
  static RuntimeException failure(int attempt, RuntimeException cause) {
    return attempt == 0 ? new SuppressRestartsException(cause) : cause;
  }
}
