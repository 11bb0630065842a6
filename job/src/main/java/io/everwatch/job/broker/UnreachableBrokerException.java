// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

/** No Kafka broker answered; the message names the address, the wait and what to check. */
public final class UnreachableBrokerException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public UnreachableBrokerException(String message, Throwable cause) {
    super(message, cause);
  }
}
