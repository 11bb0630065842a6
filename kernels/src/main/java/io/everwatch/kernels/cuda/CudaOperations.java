// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.Shapes;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.Vector;
import io.everwatch.kernels.cuda.CudaLinear.Phase;
import io.everwatch.kernels.cuda.CudaSegmentAttention.PatchTable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operations of a pass: each checks owner, type and size of what it is given, and launches. See
 * {@link io.everwatch.kernels.Backend} for what they compute. The device is entered by the caller.
 */
final class CudaOperations {
  private final CudaStream stream;
  private final UploadRing ring;
  private final DType dtype;
  private final CudaLinear linear;
  private final CudaElementwise elementwise;
  private final CudaSegmentAttention segments;

  /**
   * @param ring of {@code stream}
   * @param dtype the activation type
   */
  CudaOperations(CudaStream stream, UploadRing ring, DType dtype) {
    this.stream = stream;
    this.ring = ring;
    this.dtype = dtype;
    this.linear = new CudaLinear(stream.device(), dtype);
    this.elementwise = new CudaElementwise(stream.device(), dtype);
    this.segments = new CudaSegmentAttention(stream.device(), dtype);
  }

  /** What decides the bits of a row beside its values. */
  String numerics() {
    return linear.numerics();
  }

  CudaPatchBatch patchBatch(
      float[] angles, int headDim, List<int[]> segmentations, CudaArena arena) {
    PatchTable table = segments.table(stream, angles, headDim, segmentations, ring, arena::take);
    return new CudaPatchBatch(table, arena, arena.step());
  }

  void embed(Table table, StepTables tables, DeviceBuffer out) {
    if (!(table instanceof CudaTable mine)) {
      throw new IllegalArgumentException(
          "embed: the table is a %s; expected one of the cuda back end"
              .formatted(table.getClass().getName()));
    }
    tables.limitIds(mine.rows(), mine.name());
    long elements = Shapes.elements("embed", tables.rows(), mine.columns());
    long to = CudaBuffer.of(out, "embed", "out", elements, DType.F32);
    elementwise.embed(
        stream,
        mine.address(),
        tables.idsAddress(),
        tables.headerAddress(), // which begins with the number of live rows
        tables.rows(),
        mine.columns(),
        to);
  }

  void outputs(DeviceBuffer x, StepTables tables, int width, DeviceBuffer out) {
    CudaBuffer from =
        CudaBuffer.of(x, "outputs", "x", Shapes.elements("outputs", tables.rows(), width));
    long elements = Shapes.elements("outputs", tables.outputs(), width);
    long to = CudaBuffer.of(out, "outputs", "out", elements, from.dtype());
    long rowBytes = (long) width * from.dtype().sizeBytes();
    elementwise.gather(
        stream, from.address(), tables.outputRowsAddress(), tables.outputs(), rowBytes, to);
  }

  void scatter(DeviceBuffer x, int first, int[] rows, int width, DeviceBuffer out) {
    long elements = Shapes.elements("scatter", first, rows.length, width);
    CudaBuffer from = CudaBuffer.of(x, "scatter", "x", elements);
    long to = CudaBuffer.of(out, "scatter", "out", 0, from.dtype());
    Shapes.rowsInside("scatter", "out", rows, width, out.elements());
    if (rows.length > 0) {
      long places = CudaBuffer.of(out, "scatter", "out", 0).arena().take(4L * rows.length);
      ring.upload(rows, places);
      long rowBytes = (long) width * from.dtype().sizeBytes();
      long source = from.address() + first * rowBytes;
      elementwise.scatter(stream, source, places, rows.length, rowBytes, to);
    }
  }

  void rmsNorm(DeviceBuffer x, Vector gain, float eps, int tokens, DeviceBuffer out) {
    int width = gain.length();
    long elements = Shapes.elements("rmsNorm", tokens, width);
    long from = CudaBuffer.of(x, "rmsNorm", "x", elements, DType.F32);
    long to = CudaBuffer.of(out, "rmsNorm", "out", elements, dtype);
    long by = CudaVector.of(gain, "rmsNorm", width);
    elementwise.rmsNorm(stream, from, by, eps, tokens, width, to);
  }

  void linear(
      Phase phase, DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out) {
    multiply("linear", phase, x, w, bias, tokens, stored(out), out);
  }

  void linearAdd(
      Phase phase, DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out) {
    multiply("linearAdd", phase, x, w, bias, tokens, Products.Output.ADD, out);
  }

  private static Products.Output stored(DeviceBuffer out) {
    return out.dtype() == DType.F32 ? Products.Output.F32 : Products.Output.BF16;
  }

  private void multiply(
      String operation,
      Phase phase,
      DeviceBuffer x,
      Matrix w,
      @Nullable Vector bias,
      int tokens,
      Products.Output output,
      DeviceBuffer out) {
    if (!(w instanceof CudaMatrix matrix)) {
      throw new IllegalArgumentException(
          "%s: weights %s are a %s; expected a matrix of the cuda back end"
              .formatted(operation, w.name(), w.getClass().getName()));
    }
    long inputs = Shapes.elements(operation, tokens, matrix.columns());
    long outputs = Shapes.elements(operation, tokens, matrix.rows());
    linear.multiply(
        stream,
        phase,
        CudaBuffer.of(x, operation, "x", inputs, dtype),
        matrix,
        bias == null ? 0 : CudaVector.of(bias, operation, matrix.rows()),
        tokens,
        output,
        output == Products.Output.BF16
            ? CudaBuffer.of(out, operation, "out", outputs, DType.BF16)
            : CudaBuffer.of(out, operation, "out", outputs, DType.F32));
  }

  void swiGlu(DeviceBuffer gateUp, int tokens, int width, DeviceBuffer out) {
    long elements = Shapes.elements("swiGlu", tokens, width);
    long from = CudaBuffer.of(gateUp, "swiGlu", "gateUp", 2 * elements, dtype);
    long to = CudaBuffer.of(out, "swiGlu", "out", elements, dtype);
    elementwise.swiGlu(stream, from, tokens, width, to);
  }

  void gelu(DeviceBuffer x, long elements) {
    elementwise.gelu(stream, CudaBuffer.of(x, "gelu", "x", elements, dtype), elements);
  }

  void segmentAttention(
      DeviceBuffer qkv, PatchBatch patches, int segmentation, int heads, DeviceBuffer out) {
    PatchTable table = CudaPatchBatch.of(patches, "segmentAttention");
    long width = Math.multiplyExact(heads, table.headDim());
    long elements = table.patches() * width;
    long from = CudaBuffer.of(qkv, "segmentAttention", "qkv", 3 * elements, dtype);
    long to = CudaBuffer.of(out, "segmentAttention", "out", elements, dtype);
    segments.attend(stream, table, segmentation, from, heads, to);
  }

  void attend(int layer, DeviceBuffer qkv, StepTables tables, DeviceBuffer out) {
    KvShape shape = tables.pool().shape();
    int width = shape.heads() * shape.headDim();
    int kvWidth = shape.kvHeads() * shape.headDim();
    long inputs = Shapes.elements("attend", tables.rows(), width + 2 * kvWidth);
    long from = CudaBuffer.of(qkv, "attend", "qkv", inputs, dtype);
    long elements = Shapes.elements("attend", tables.rows(), width);
    long to = CudaBuffer.of(out, "attend", "out", elements, dtype);
    tables.pool().attention().attend(layer, from, tables, to);
  }
}
