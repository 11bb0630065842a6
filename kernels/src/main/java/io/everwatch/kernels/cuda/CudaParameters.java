// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.SeededTensor;
import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.WeightParts;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matrices, vectors and tables of the models on a device, and the memory they lie in. What only
 * loading needs is there from the first piece of a model until {@link #endLoading}. Seeded tensors
 * are filled on the device.
 *
 * <p>One thread at a time, that of the stream.
 */
final class CudaParameters implements AutoCloseable {
  /** Small pieces share an allocation of this size; larger ones have their own. */
  private static final long SLAB_BYTES = 16 << 20;

  private static final int RING_PIECES = 2;
  private static final int PIECE_BYTES = 1 << 20;

  private final CudaStream stream;
  private final DType type;
  private final CudaRandomWeights random;
  private final List<AutoCloseable> memory = new ArrayList<>();
  private @Nullable Slab slab;
  private @Nullable Loading loading;

  /** What is needed while a model comes in. */
  private record Loading(CudaWeights matrices, UploadRing ring) implements AutoCloseable {
    @Override
    public void close() {
      try (ring) {
        matrices.close();
      }
    }
  }

  /**
   * @param type of matrices and tables
   */
  CudaParameters(CudaStream stream, DType type) {
    this.stream = stream;
    this.type = type;
    this.random = new CudaRandomWeights(stream.device());
  }

  private Loading loading() {
    Loading now = loading;
    if (now == null) {
      now =
          new Loading(
              new CudaWeights(stream, type, this::take),
              new UploadRing(stream, RING_PIECES, PIECE_BYTES));
      loading = now;
    }
    return now;
  }

  /** A model is there: frees what only loading needed. */
  void endLoading() {
    Loading now = loading;
    loading = null;
    if (now != null) {
      now.close();
    }
  }

  /** See {@link io.everwatch.kernels.Backend#matrix}. */
  CudaMatrix matrix(String name, List<? extends TensorSource> parts) {
    return loading().matrices().matrix(name, parts);
  }

  /** See {@link io.everwatch.kernels.Backend#vector}. */
  CudaVector vector(String name, List<? extends TensorSource> parts) {
    int length =
        Math.toIntExact(parts.stream().mapToLong(TensorSource::elements).reduce(0, Math::addExact));
    long address = take(4L * length);
    long at = address;
    for (TensorSource part : parts) {
      put(part, DType.F32, at);
      at += 4L * part.elements();
    }
    return new CudaVector(name, length, address);
  }

  /** See {@link io.everwatch.kernels.Backend#table}. */
  CudaTable table(TensorSource source) {
    int columns = WeightParts.columns(source.name(), List.of(source));
    int rows = WeightParts.rows(List.of(source));
    long address = take(Math.multiplyExact(source.elements(), type.sizeBytes()));
    put(source, type, address);
    return new CudaTable(source.name(), rows, columns, address);
  }

  /** All elements in their order. */
  private void put(TensorSource source, DType as, long address) {
    if (source instanceof SeededTensor seeded) {
      random.fill(stream, seeded, as, address);
      return;
    }
    float[] piece = new float[(int) Math.min(source.elements(), PIECE_BYTES / Float.BYTES)];
    for (long from = 0; from < source.elements(); from += piece.length) {
      int count = (int) Math.min(piece.length, source.elements() - from);
      source.read(from, piece, 0, count);
      loading().ring().upload(piece, 0, count, as, address + from * as.sizeBytes());
    }
  }

  private long take(long bytes) {
    long padded = Slab.padded(bytes);
    if (padded > SLAB_BYTES / 4) {
      DeviceMemory own = DeviceMemory.allocate(stream.device(), bytes, "weights");
      memory.add(own);
      return own.address();
    }
    Slab small = slab;
    if (small == null || small.bytes() - small.usedBytes() < padded) {
      small = Slab.allocate(stream.device(), SLAB_BYTES, "weights");
      memory.add(small);
      slab = small;
    }
    return small.take(bytes);
  }

  @Override
  public void close() {
    endLoading();
    Closing.all(memory);
  }
}
