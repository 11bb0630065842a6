// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/** A device did not do what it was asked to; the class says who should act (architecture §6). */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What is left of the device after the failure. */
  public enum Failure {
    /** No memory, bad argument, non-finite result: the device is intact; retry alone or give up. */
    REFUSED,
    /** The device cannot be used again in this process. */
    LOST,
    /** A step ran over its time; the process must end. */
    HUNG
  }

  private final Failure failure;

  public DeviceException(Failure failure, String message) {
    super(message);
    this.failure = failure;
  }

  public DeviceException(Failure failure, String message, Throwable cause) {
    super(message, cause);
    this.failure = failure;
  }

  public Failure failure() {
    return failure;
  }
}
