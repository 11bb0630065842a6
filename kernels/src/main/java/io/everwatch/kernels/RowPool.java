// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * Cached rows of all streams: {@code slots} rows of {@link KvShape}, K <b>before rotation</b>. Who
 * owns which slot is the engine's business; the pool neither allocates nor frees. A row never
 * changes once written, so reading one is safe while others are computed.
 */
public interface RowPool extends AutoCloseable {
  KvShape shape();

  int slots();

  /**
   * Copies K and V of all layers of {@code slot} to {@code to[at..]}: {@code [layers][2][kvHeads *
   * headDim]} float32, for snapshots.
   */
  void read(int slot, float[] to, int at);

  /** The inverse of {@link #read}. */
  void write(int slot, float[] from, int at);

  @Override
  void close();
}
