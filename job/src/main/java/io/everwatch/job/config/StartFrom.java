// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

/** Where a job without a checkpoint begins to read. */
public enum StartFrom {
  /** At what the consumer group committed last, else at the earliest record. */
  COMMITTED,
  EARLIEST,
  LATEST
}
