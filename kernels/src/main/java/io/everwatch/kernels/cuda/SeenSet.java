// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

/** A bit for each id of a vocabulary, on the device: the ids that count as said in one context. */
final class SeenSet implements AutoCloseable {
  private final SeenSets owner;
  private final long address;

  SeenSet(SeenSets owner, long address) {
    this.owner = owner;
    this.address = address;
  }

  long address() {
    return address;
  }

  /** Ids that fit. */
  int width() {
    return owner.width();
  }

  /** Gives it back; what is launched later may use it for another context. */
  @Override
  public void close() {
    owner.give(this);
  }
}
