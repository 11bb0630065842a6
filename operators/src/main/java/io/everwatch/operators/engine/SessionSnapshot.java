// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.RowValues;
import io.everwatch.operators.model.StreamSettings;
import java.util.List;

/**
 * The committed state of one session in pieces with a CRC32C each; versioned. Equal states give
 * equal bytes.
 */
public final class SessionSnapshot {
  private final List<byte[]> pieces;
  private final SnapshotHeader header;

  private SessionSnapshot(List<byte[]> pieces, SnapshotHeader header) {
    this.pieces = pieces;
    this.header = header;
  }

  /**
   * @param rows of the header's type, as {@link io.everwatch.kernels.RowPool} has them
   */
  static SessionSnapshot of(SnapshotHeader header, byte[][] rows) {
    return new SessionSnapshot(List.copyOf(SnapshotPieces.cut(header.write(), rows)), header);
  }

  /**
   * Of a stream that has made no round yet: holds its settings, so that it keeps them when it is
   * restored before a memory of it was written.
   */
  public static SessionSnapshot beginning(
      String streamId, StreamSettings settings, String modelDigest, String numericsIdentity) {
    return of(
        new SnapshotHeader(
            streamId,
            modelDigest,
            numericsIdentity,
            DType.F32, // of no rows
            0,
            settings,
            Committed.NONE,
            Transcript.UNKNOWN),
        new byte[0][]);
  }

  /**
   * Pieces of at most 1 MiB; the first and the last hold ids, list, text and counters, the others K
   * and V.
   */
  public List<byte[]> pieces() {
    return pieces;
  }

  /**
   * Checks version and every CRC. A damaged piece of the header does no harm while its copy is
   * good.
   *
   * @param pieces an empty one stands for one that is missing
   * @throws CorruptSnapshotException naming the piece
   */
  public static SessionSnapshot ofPieces(List<byte[]> pieces) {
    FoundPieces found = FoundPieces.of(pieces);
    SnapshotHeader header = found.header();
    found.requireRows();
    return new SessionSnapshot(List.copyOf(pieces), header);
  }

  public String streamId() {
    return header.streamId();
  }

  /** The settings of the stream when it was taken. */
  public StreamSettings settings() {
    return header.settings();
  }

  /** Rounds made before it was taken. */
  public long rounds() {
    return header.committed().rounds();
  }

  /** Digest of the model that computed the rows. */
  public String modelDigest() {
    return header.modelDigest();
  }

  /** What computed the rows: on another one a stream goes on with other bits. */
  public String numericsIdentity() {
    return header.numerics();
  }

  /** Sum of the pieces. */
  public long sizeBytes() {
    return pieces.stream().mapToLong(piece -> piece.length).sum();
  }

  SnapshotHeader header() {
    return header;
  }

  /** K and V as values of {@code type}: those of another were computed by another back end. */
  byte[][] rows(DType type) {
    byte[][] rows =
        FoundPieces.of(pieces).rows(header.committed().memory().cachedRows(), header.rowBytes());
    for (int i = 0; i < rows.length; i++) {
      rows[i] = RowValues.convert(rows[i], header.rowType(), type);
    }
    return rows;
  }
}
