// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.PendingRows;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Copies rows between a pool and the host on a stream of its own, beside the passes, piece by piece
 * through a bounded amount of page-locked memory.
 *
 * <p>A read is carried out by whoever waits for it first, in that thread; the thread that runs the
 * passes only leaves a mark in its stream. Should a slot of the read be filled anew before that,
 * {@link #beforeOverwriting} carries it out, so that what was asked for is what comes.
 */
final class RowTransfers implements AutoCloseable {
  /** Of each piece: a copy of this size takes about 0.3 ms, a launch some microseconds. */
  static final int PIECE_BYTES = 8 << 20;

  private static final int PIECES = 2; // one under way, one being copied on the host
  private static final int BLOCK = 128;

  private final CudaRowPool pool;
  private final CudaStream stream;
  private final Kernel gather;
  private final Kernel scatter;
  private final CudaEvent reached; // by the passes, when a write begins
  private final CudaEvent written;
  private final int rowsPerPiece;
  private final List<Piece> pieces = new ArrayList<>(PIECES);
  private final List<Read> unread = new CopyOnWriteArrayList<>();
  private boolean closed;

  /** Slots and rows, on both sides. */
  private final class Piece implements AutoCloseable {
    private final int rowsAt = (4 * rowsPerPiece + 255) / 256 * 256;
    private final PinnedBuffer host;
    private final DeviceMemory device;
    private final CudaEvent done = CudaEvent.open(pool.device());

    Piece() {
      int bytes = Math.addExact(rowsAt, Math.multiplyExact(rowsPerPiece, pool.rowBytes()));
      device = DeviceMemory.allocate(pool.device(), bytes, "row transfers");
      try {
        host = PinnedBuffer.allocate(pool.device(), bytes, "row transfers");
      } catch (RuntimeException e) {
        device.close();
        throw e;
      }
    }

    void putSlots(int[] slots, int from, int count) {
      for (int i = 0; i < count; i++) {
        host.bytes().putInt(4 * i, slots[from + i]);
      }
    }

    void launch(Kernel kernel, int rows) {
      kernel.launch(
          stream,
          rows,
          pool.shape().layers(),
          1,
          BLOCK,
          0,
          kernel
              .args()
              .pointer(pool.keysAddress(0))
              .pointer(pool.valuesAddress(0))
              .i64(pool.slots())
              .pointer(device.address())
              .pointer(device.address() + rowsAt)
              .i32(pool.layerRowBytes() / 16));
    }

    long bytes(int rows) {
      return (long) rows * pool.rowBytes();
    }

    @Override
    public void close() {
      try (device;
          host) {
        done.close();
      }
    }
  }

  /** Rows asked for, until they have come. */
  private final class Read implements PendingRows {
    private final int[] slots;
    private final BitSet set = new BitSet();
    private final CudaEvent asked = CudaEvent.open(pool.device());
    private byte @Nullable [][] rows;
    private @Nullable RuntimeException failure;

    Read(int[] slots) {
      this.slots = slots.clone();
      for (int slot : slots) {
        set.set(slot);
      }
      asked.record(pool.stream());
    }

    @Override
    public byte[][] await() {
      synchronized (RowTransfers.this) {
        if (rows == null && failure == null) {
          carryOut(this);
        }
        if (rows == null) {
          throw failure != null ? failure : new IllegalStateException("a read without an end");
        }
        return rows;
      }
    }
  }

  /**
   * @param pieceBytes most bytes of rows that are under way in one piece, a row at least
   */
  RowTransfers(CudaRowPool pool, int pieceBytes) {
    this.pool = pool;
    KernelModule module = KernelModule.load(pool.device(), "rows");
    gather = module.kernel("rows_gather");
    scatter = module.kernel("rows_scatter");
    rowsPerPiece = Math.min(pool.slots(), Math.max(1, pieceBytes / pool.rowBytes()));
    stream = CudaStream.open(pool.device());
    reached = CudaEvent.open(pool.device());
    written = CudaEvent.open(pool.device());
    try {
      for (int i = 0; i < PIECES; i++) {
        pieces.add(new Piece());
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** See {@link io.everwatch.kernels.RowPool#read}; slots are checked. */
  PendingRows read(int[] slots) {
    if (slots.length == 0) {
      return PendingRows.NONE;
    }
    Read read = new Read(slots);
    unread.add(read);
    return read;
  }

  /** Carries out reads that have not been yet and that ask for one of these slots. */
  void beforeOverwriting(int[] slots) {
    for (Read read : unread) {
      for (int slot : slots) {
        if (read.set.get(slot)) {
          read.await();
          break;
        }
      }
    }
  }

  private void carryOut(Read read) {
    unread.remove(read);
    try (CudaEvent asked = read.asked) {
      if (closed) {
        throw new IllegalStateException(
            "rows of a pool are asked for after it was closed; wait for them before");
      }
      pool.device().enter();
      stream.waitFor(asked);
      read.rows = copyOut(read.slots);
    } catch (RuntimeException e) {
      read.failure = e;
    }
  }

  /** While one piece is under way, the one before is copied to its rows. */
  private byte[][] copyOut(int[] slots) {
    byte[][] rows = new byte[slots.length][];
    Deque<Integer> started = new ArrayDeque<>();
    for (int from = 0; from < slots.length; from += rowsPerPiece) {
      if (started.size() == PIECES) {
        collect(started.remove(), rows);
      }
      int count = Math.min(rowsPerPiece, slots.length - from);
      Piece piece = piece(from);
      piece.done.await(); // a write may have used it last
      piece.putSlots(slots, from, count);
      stream.upload(piece.host, 0, piece.device.address(), 4L * count);
      piece.launch(gather, count);
      stream.download(
          piece.device.address() + piece.rowsAt, piece.host, piece.rowsAt, piece.bytes(count));
      piece.done.record(stream);
      started.add(from);
    }
    while (!started.isEmpty()) {
      collect(started.remove(), rows);
    }
    return rows;
  }

  private Piece piece(int from) {
    return pieces.get(from / rowsPerPiece % PIECES);
  }

  private void collect(int from, byte[][] rows) {
    Piece piece = piece(from);
    piece.done.await();
    for (int i = 0; i < rowsPerPiece && from + i < rows.length; i++) {
      rows[from + i] = new byte[pool.rowBytes()];
      piece.host.bytes().get(piece.rowsAt + i * pool.rowBytes(), rows[from + i]);
    }
  }

  /** See {@link io.everwatch.kernels.RowPool#write}; arguments are checked. */
  void write(int[] slots, byte[][] rows) {
    BitSet once = new BitSet();
    for (int slot : slots) {
      if (once.get(slot)) {
        throw new IllegalArgumentException(
            "row pool: slot %d is written twice at once; expected distinct slots".formatted(slot));
      }
      once.set(slot);
    }
    beforeOverwriting(slots);
    synchronized (this) {
      reached.record(pool.stream()); // passes launched before may still read what was there
      stream.waitFor(reached);
      for (int from = 0; from < slots.length; from += rowsPerPiece) {
        int count = Math.min(rowsPerPiece, slots.length - from);
        Piece piece = piece(from);
        piece.done.await();
        piece.putSlots(slots, from, count);
        for (int i = 0; i < count; i++) {
          piece.host.bytes().put(piece.rowsAt + i * pool.rowBytes(), rows[from + i]);
        }
        stream.upload(piece.host, 0, piece.device.address(), piece.rowsAt + piece.bytes(count));
        piece.launch(scatter, count);
        piece.done.record(stream);
      }
      written.record(stream);
      pool.stream().waitFor(written);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    try (stream;
        reached;
        written) {
      for (Read read : unread) {
        read.asked.close();
      }
      if (!pool.device().isLost()) {
        stream.synchronize();
      }
      pieces.forEach(Piece::close);
    }
  }
}
