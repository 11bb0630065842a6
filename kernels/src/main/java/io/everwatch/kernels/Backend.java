// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tensor operations of the model on one device, at the grain of the papers' steps. Shapes: T
 * tokens or patches, C width, H heads, K KV heads, D head dim, F feed-forward width, V vocabulary;
 * outermost first, row-major, float32 as seen from the host.
 *
 * <p><b>Batch invariance.</b> The bits of an output row depend on that row's own inputs and lengths
 * alone, never on the other rows of the call.
 *
 * <p><b>Threads.</b> One thread calls at a time; a back end may use threads of its own inside.
 * Buffers that an operation fills must not overlap its inputs unless it says so. Every operation
 * checks shapes and throws {@link IllegalArgumentException}; failures of the device are {@link
 * DeviceException}.
 */
public interface Backend extends AutoCloseable {
  /** {@code cpu} or {@code cuda}. */
  String name();

  /**
   * All that decides the bits of a result: library and version, instruction set or device type,
   * dtype, number of parts in split sums. Part of the numerics identity (architecture §5).
   */
  String numerics();

  // --- weights: laid out once per process ---

  /**
   * Lays out weights for products, the parts stacked along the output features (so that Q, K and V
   * or gate and up are one product).
   *
   * @param parts each {@code [n_i, columns]}, higher dimensions flattened into the columns
   */
  Matrix matrix(String name, List<? extends TensorSource> parts);

  /** The parts one after the other. */
  Vector vector(String name, List<? extends TensorSource> parts);

  /** A table {@code [V, C]} for {@link #embed}. */
  Table table(TensorSource source);

  // --- memory ---

  Arena arena();

  RowPool rowPool(KvShape shape, int slots);

  /** An empty context over {@code pool}; its capacity grows as needed. */
  Context context(RowPool pool);

  void upload(float[] values, int from, int count, DeviceBuffer to);

  /** Copies elements {@code [from, from + count)} to {@code to[at..]}; waits for the device. */
  void download(DeviceBuffer source, long from, float[] to, int at, int count);

  // --- operations ---

  /** {@code out[t] = table[ids[t]]}: out [T, C]. */
  void embed(Table table, int[] ids, DeviceBuffer out);

  /** {@code out[i] = x[rows[i]]}, rows of {@code width}: a permutation, or the last rows. */
  void gather(DeviceBuffer x, int[] rows, int width, DeviceBuffer out);

  /** {@code out[rows[i]] = x[i]}, rows of {@code width}: vision rows into the embeddings. */
  void scatter(DeviceBuffer x, int[] rows, int width, DeviceBuffer out);

  /**
   * {@code out[t] = gain * x[t] / sqrt(mean(x[t]^2) + eps)}, statistics in float32 or better; x,
   * out [T, C] with C the length of {@code gain}. Zhang and Sennrich 2019, eq. 4. Differs: eps
   * under the root, as in the published model.
   */
  void rmsNorm(DeviceBuffer x, Vector gain, float eps, int tokens, DeviceBuffer out);

  /** {@code out = x w^T + bias}: x [T, columns], out [T, rows]. */
  void linear(DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out);

  /** {@code out += x w^T + bias}, the residual form. */
  void linearAdd(DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out);

  /** {@code out[t] = silu(gateUp[t, 0:F]) * gateUp[t, F:2F]}: gateUp [T, 2F], out [T, F]. */
  void swiGlu(DeviceBuffer gateUp, int tokens, int width, DeviceBuffer out);

  /** Exact (erf) GELU in place over the first {@code elements}. */
  void gelu(DeviceBuffer x, long elements);

  /**
   * Attention of the vision tower: no mask, every patch attends over its own segment. Q and K are
   * rotated first: pair i of a head is components i and i + D/2, angle {@code angles[t, i]}; scale
   * {@code D^-0.5}.
   *
   * @param qkv [T, 3, H, D]; overwritten
   * @param angles [T, D/2] float32 radians
   * @param segmentLengths patches per segment, sum T
   * @param out [T, H * D]
   */
  void segmentAttention(
      DeviceBuffer qkv,
      float[] angles,
      int[] segmentLengths,
      int heads,
      int headDim,
      DeviceBuffer out);

  /**
   * Attention of one decoder layer for a batch of streams: takes the new tokens' Q, K and V, writes
   * K (before rotation) and V to the rows' slots, and attends causally over each span's own context
   * with grouped query heads (query head i uses KV head {@code i / (H / K)}), Q and K rotated by
   * their rows' positions; scale {@code D^-0.5}, softmax in float32.
   *
   * @param qkv [T, (H + 2 K) * D]: Q heads, K heads, V heads of each token
   * @param spans one per stream, covering T tokens without gap or overlap
   * @param out [T, H * D]
   */
  void attend(int layer, DeviceBuffer qkv, List<Span> spans, DeviceBuffer out);

  @Override
  void close();
}
