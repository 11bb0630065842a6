// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import io.everwatch.kernels.TensorSource;
import io.everwatch.kernels.WeightParts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Products of the library, which they own. Each shape of weights is checked for batch invariance
 * when it is first met, since the library promises nothing; one that fails is multiplied in plain
 * Java.
 */
final class OneDnnProducts implements Products {
  private static final Logger LOG = LoggerFactory.getLogger(OneDnnProducts.class);

  /** Matrices above this are cut, so that one row can be shared by several threads. */
  private static final long PANELS_ABOVE = 1 << 19;

  private static final int PANEL_ROWS = 512;

  private final OneDnn library;
  private final CpuThreads threads;
  private final PlainProducts plain;
  private final Staging[] staging;
  private final Map<Shape, MatmulKernels> kernels = new HashMap<>();
  private final TreeSet<String> accepted = new TreeSet<>();
  private final TreeSet<String> refused = new TreeSet<>();

  private record Shape(int rows, int columns) {}

  OneDnnProducts(OneDnn library, CpuThreads threads, PlainProducts plain) {
    this.library = library;
    this.threads = threads;
    this.plain = plain;
    this.staging = new Staging[threads.count()];
    for (int i = 0; i < staging.length; i++) {
      staging[i] = new Staging();
    }
  }

  @Override
  public CpuMatrix matrix(String name, List<? extends TensorSource> parts, int columns) {
    OpenMp.oneThread();
    int rows = WeightParts.rows(parts);
    OneDnnMatrix matrix =
        new OneDnnMatrix(name, rows, columns, panels(name, parts, rows, columns), threads, staging);
    if (refused.contains(key(rows, columns)) || !check(matrix)) {
      matrix.close();
      return plain.matrix(name, parts, columns);
    }
    return matrix;
  }

  private OneDnnMatrix.Panel[] panels(
      String name, List<? extends TensorSource> parts, int rows, int columns) {
    int width = (long) rows * columns > PANELS_ABOVE ? Math.min(rows, PANEL_ROWS) : rows;
    List<OneDnnMatrix.Panel> panels = new ArrayList<>();
    try (NativeMemory plainPanel =
        NativeMemory.allocate((long) width * columns, "weights " + name)) {
      WeightParts.forEachPiece(
          parts,
          columns,
          (row, count, values) -> {
            for (int i = 0; i < count; ) {
              int inPanel = (row + i) % width;
              int now = Math.min(count - i, width - inPanel);
              plainPanel.put((long) inPanel * columns, values, i * columns, now * columns);
              i += now;
              if (inPanel + now == width || row + i == rows) {
                int first = row + i - inPanel - now;
                MatmulKernels packing = kernelsFor(row + i - first, columns);
                panels.add(new OneDnnMatrix.Panel(first, packing, packing.pack(plainPanel, name)));
              }
            }
          });
    }
    return panels.toArray(OneDnnMatrix.Panel[]::new);
  }

  private MatmulKernels kernelsFor(int rows, int columns) {
    return kernels.computeIfAbsent(
        new Shape(rows, columns),
        shape -> new MatmulKernels(library, shape.rows(), shape.columns(), threads.count()));
  }

  /** Whether every row block, and every place in it, gives the same row the same bits. */
  private boolean check(OneDnnMatrix matrix) {
    String key = key(matrix.rows(), matrix.columns());
    if (accepted.contains(key)) {
      return true;
    }
    if (BatchInvariance.holds(matrix)) {
      accepted.add(key);
      return true;
    }
    refused.add(key);
    LOG.warn(
        "{} does not give a row of a product with weights {} (first met: {}) the same bits in every"
            + " batch; such products run in plain Java, which is slower. Another version or"
            + " instruction set (ONEDNN_MAX_CPU_ISA) of the library may do better.",
        OneDnn.identity(),
        key,
        matrix.name());
    return false;
  }

  private static String key(int rows, int columns) {
    return "[%d, %d]".formatted(rows, columns);
  }

  @Override
  public String numerics() {
    String fallback = refused.isEmpty() ? "" : ", plain java for " + refused;
    return OneDnn.identity() + " f32" + fallback;
  }

  @Override
  public void close() {
    kernels.values().forEach(MatmulKernels::close);
    for (Staging one : staging) {
      one.close();
    }
    library.close();
  }
}
