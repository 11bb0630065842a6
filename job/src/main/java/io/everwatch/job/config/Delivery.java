// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

/** How the text topic is written. */
public enum Delivery {
  /** In transactions, committed with each checkpoint. */
  EXACTLY_ONCE,
  /** At once; after a failure an event may stand there twice, with the same bytes. */
  AT_LEAST_ONCE
}
