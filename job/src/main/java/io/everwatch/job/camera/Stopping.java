// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The wish that cameras end in good order; once said it stands. */
final class Stopping {
  private final CountDownLatch wished = new CountDownLatch(1);

  void request() {
    wished.countDown();
  }

  boolean requested() {
    return wished.getCount() == 0;
  }

  /** Waits; true when the wish came meanwhile. */
  boolean await(Duration limit) throws InterruptedException {
    return wished.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }
}
