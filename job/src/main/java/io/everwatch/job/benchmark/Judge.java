// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.io.IOException;

/** Somebody who reads a prompt and replies. */
@FunctionalInterface
interface Judge {
  /**
   * The reply.
   *
   * @throws IOException when there is none, whatever was tried
   */
  String reply(String prompt) throws IOException, InterruptedException;
}
