// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Cuts a snapshot into pieces; {@link FoundPieces} puts it together again. A piece is, big-endian:
 * magic (4), version (2), part (2: 0 header, 1 rows), index (4), number of pieces (4), length (4),
 * content, CRC32C of all before (4). Rows are as {@link io.everwatch.kernels.RowPool} has them, of
 * the type that the header names, a whole number to a piece.
 *
 * <p>The pieces of the header lie at both ends, the rows in between: no single piece takes the
 * words of a stream with it when it is damaged. Version 1 has them in front only.
 */
final class SnapshotPieces {
  static final int VERSION = 3;
  static final int MAX_PIECE = 1 << 20;

  private static final int MAGIC = 0x45575353; // EWSS
  private static final int FRONT = 20;
  private static final int AROUND = FRONT + Integer.BYTES;
  private static final int MAX_CONTENT = MAX_PIECE - AROUND;
  static final short HEADER = 0;
  static final short ROWS = 1;

  private SnapshotPieces() {}

  /**
   * @param rows all of one length
   */
  static List<byte[]> cut(byte[] header, byte[][] rows) {
    int headers = Math.max(1, ceilDiv(header.length, MAX_CONTENT));
    int rowBytes = rows.length == 0 ? 1 : rows[0].length;
    int rowsPerPiece = MAX_CONTENT / rowBytes;
    if (rowsPerPiece == 0) {
      throw new IllegalArgumentException(
          "a cached row of this model has %d bytes, but a snapshot's piece holds %d"
              .formatted(rowBytes, MAX_CONTENT));
    }
    int count = 2 * headers + ceilDiv(rows.length, rowsPerPiece);
    List<byte[]> pieces = new ArrayList<>(count);
    cutHeader(header, pieces, count);
    for (int from = 0; from < rows.length; from += rowsPerPiece) {
      int to = Math.min(rows.length, from + rowsPerPiece);
      byte[] piece = open(ROWS, pieces.size(), count, (to - from) * rowBytes);
      for (int i = from; i < to; i++) {
        System.arraycopy(rows[i], 0, piece, FRONT + (i - from) * rowBytes, rowBytes);
      }
      pieces.add(close(piece));
    }
    cutHeader(header, pieces, count);
    return pieces;
  }

  private static void cutHeader(byte[] header, List<byte[]> pieces, int count) {
    int from = 0;
    do {
      int length = Math.min(MAX_CONTENT, header.length - from);
      byte[] piece = open(HEADER, pieces.size(), count, length);
      System.arraycopy(header, from, piece, FRONT, length);
      pieces.add(close(piece));
      from += length;
    } while (from < header.length);
  }

  /** A piece whose content and CRC are still to be written. */
  private static byte[] open(short part, int index, int count, int length) {
    byte[] piece = new byte[AROUND + length];
    ByteBuffer.wrap(piece)
        .putInt(MAGIC)
        .putShort((short) VERSION)
        .putShort(part)
        .putInt(index)
        .putInt(count)
        .putInt(length);
    return piece;
  }

  private static byte[] close(byte[] piece) {
    int end = piece.length - Integer.BYTES;
    ByteBuffer.wrap(piece).putInt(end, crc(piece, end));
    return piece;
  }

  /**
   * One piece as it was found.
   *
   * @param content big-endian
   */
  record Piece(int version, short part, ByteBuffer content) {}

  /**
   * Checks a piece.
   *
   * @throws CorruptSnapshotException naming it
   */
  static Piece check(byte[] piece, int index, int count) {
    ByteBuffer in = ByteBuffer.wrap(piece);
    if (piece.length < AROUND || piece.length > MAX_PIECE || in.getInt() != MAGIC) {
      throw bad(
          index,
          count,
          piece.length == 0
              ? "it is missing"
              : "%d bytes without the magic number".formatted(piece.length),
          "at least %d and at most %d that begin with it".formatted(AROUND, MAX_PIECE));
    }
    int crc = crc(piece, piece.length - Integer.BYTES);
    int stored = in.getInt(piece.length - Integer.BYTES);
    if (crc != stored) {
      throw bad(index, count, "CRC32C %08x".formatted(crc), "the stored %08x".formatted(stored));
    }
    int version = in.getShort();
    if (version < 1 || version > VERSION) {
      throw bad(index, count, "version " + version, "1 to " + VERSION);
    }
    short part = in.getShort();
    int place = in.getInt();
    int places = in.getInt();
    int length = in.getInt();
    if (place != index || places != count || length != piece.length - AROUND) {
      throw bad(
          index,
          count,
          "it calls itself piece %d of %d with %d bytes".formatted(place, places, length),
          "piece %d of %d with %d".formatted(index, count, piece.length - AROUND));
    }
    return new Piece(version, part, in.slice(FRONT, length));
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  private static int ceilDiv(int a, int b) {
    return (a + b - 1) / b;
  }

  static CorruptSnapshotException bad(int index, int count, String found, String expected) {
    return new CorruptSnapshotException(
        "piece %d of a snapshot of %d pieces is damaged: %s; expected %s; rebuild the stream from its words and its log"
            .formatted(index, count, found, expected));
  }
}
