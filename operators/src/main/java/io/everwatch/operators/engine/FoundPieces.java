// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.engine.SnapshotPieces.Piece;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The pieces of a snapshot as they were found in state, each checked; some may be damaged. */
final class FoundPieces {
  /** The first version that has the header at both ends. */
  private static final int WITH_COPY = 2;

  private final List<@Nullable Piece> pieces;
  private final int version;
  private final int headers;
  private @Nullable CorruptSnapshotException damage;

  private FoundPieces(List<byte[]> stored) {
    pieces = new ArrayList<>(stored.size());
    int newest = SnapshotPieces.VERSION;
    for (int i = 0; i < stored.size(); i++) {
      try {
        Piece piece = SnapshotPieces.check(stored.get(i), i, stored.size());
        pieces.add(piece);
        newest = piece.version();
      } catch (CorruptSnapshotException e) {
        pieces.add(null);
        damage = damage == null ? e : damage;
      }
    }
    version = newest;
    headers = countHeaders();
  }

  /**
   * @param stored an empty one stands for one that is missing
   */
  static FoundPieces of(List<byte[]> stored) {
    if (stored.isEmpty()) {
      throw new CorruptSnapshotException(
          "a snapshot without pieces; expected at least one; rebuild the stream from its log");
    }
    return new FoundPieces(stored);
  }

  private int countHeaders() {
    int count = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      if (piece != null && piece.part() == SnapshotPieces.HEADER) {
        boolean copy = version >= WITH_COPY && i >= pieces.size() / 2;
        count = Math.max(count, copy ? pieces.size() - i : i + 1);
      }
    }
    return count;
  }

  /**
   * All but the rows; from the copy where the piece in front is damaged.
   *
   * @throws CorruptSnapshotException when both are
   */
  SnapshotHeader header() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < headers; i++) {
      Piece piece = pieces.get(i);
      if (piece == null && version >= WITH_COPY) {
        piece = pieces.get(pieces.size() - headers + i);
      }
      if (piece == null) {
        throw damaged();
      }
      byte[] content = new byte[piece.content().remaining()];
      piece.content().duplicate().get(content);
      bytes.writeBytes(content);
    }
    if (headers == 0) {
      throw damaged();
    }
    return SnapshotHeader.read(bytes.toByteArray(), version);
  }

  /**
   * Whether every row can be read.
   *
   * @throws CorruptSnapshotException naming a piece that is damaged
   */
  void requireRows() {
    for (Piece piece : rowPieces()) {
      if (piece == null) {
        throw damaged();
      }
    }
  }

  private List<@Nullable Piece> rowPieces() {
    return pieces.subList(headers, pieces.size() - (version >= WITH_COPY ? headers : 0));
  }

  /**
   * K and V: {@code [count][rowBytes]}.
   *
   * @throws CorruptSnapshotException when they are not {@code count} rows
   */
  byte[][] rows(int count, int rowBytes) {
    requireRows();
    byte[][] rows = new byte[count][];
    int at = 0;
    int index = headers;
    for (Piece piece : rowPieces()) {
      ByteBuffer content = piece == null ? ByteBuffer.allocate(0) : piece.content().duplicate();
      int here = rowBytes == 0 ? 0 : content.remaining() / rowBytes;
      if (here * rowBytes != content.remaining() || at + here > count) {
        throw SnapshotPieces.bad(
            index,
            pieces.size(),
            "%d bytes of rows, %d rows before".formatted(content.remaining(), at),
            "at most %d rows in all, of %d bytes each".formatted(count, rowBytes));
      }
      for (int n = 0; n < here; n++) {
        rows[at] = new byte[rowBytes];
        content.get(rows[at++]);
      }
      index++;
    }
    if (at != count) {
      throw new CorruptSnapshotException(
          "the pieces of a snapshot hold %d rows; expected %d; a piece is missing: rebuild the stream"
              .formatted(at, count));
    }
    return rows;
  }

  private CorruptSnapshotException damaged() {
    return damage != null
        ? damage
        : new CorruptSnapshotException(
            "none of the %d pieces of a snapshot is its header; expected one; rebuild the stream"
                .formatted(pieces.size()));
  }
}
