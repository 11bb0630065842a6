// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The tensor operations of the model on one device, at the grain of the papers' steps. Shapes: T
 * tokens or patches, C width, H heads, K KV heads, D head dim, F feed-forward width, V vocabulary;
 * outermost first, row-major, float32 as seen from the host.
 *
 * <p><b>Types.</b> A is the activation type, float32 or bf16 ({@link Arena#allocate}); sums over
 * layers are float32 ({@link Arena#allocateF32}). Each operation names the types it takes; where
 * nothing is said, it is A. Sums, norms, softmax and angles are float32 or better inside.
 *
 * <p><b>A pass</b> is: make the {@link Batch}, embed, layer by layer, outputs, logits, {@link
 * #sample}. All that a device must know of a pass travels when its batch is made.
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

  /** A: the type of weights, activations and cached rows, F32 or BF16. */
  DType dtype();

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

  /**
   * What may be chosen by {@link #sample}.
   *
   * @param width V, logits of one row
   * @param drawable ids below {@code width} that belong to a token; no other is ever chosen, and
   *     their logits are not looked at
   */
  Vocabulary vocabulary(int width, BitSet drawable);

  // --- memory ---

  Arena arena();

  RowPool rowPool(KvShape shape, int slots);

  /**
   * How many slots a row pool can have.
   *
   * @param bytes for the rows and all that the back end needs for them, working copies included; 0:
   *     the back end decides, a GPU by what it has left now, less a reserve
   * @return possibly none
   * @throws IllegalArgumentException when there are never so many bytes
   */
  int slots(KvShape shape, long bytes);

  /** The device's memory; empty where rows and weights lie in that of the host. */
  default Optional<DeviceSpace> space() {
    return Optional.empty();
  }

  /** An empty context over {@code pool}; its capacity grows as needed. */
  Context context(RowPool pool);

  /** Copies {@code values[from..]} to the start of {@code to}, rounded to its type. */
  void upload(float[] values, int from, int count, DeviceBuffer to);

  /**
   * Copies elements {@code [from, from + count)}, widened to float32, to {@code to[at..]}; waits
   * for the device.
   */
  void download(DeviceBuffer source, long from, float[] to, int at, int count);

  // --- batches ---

  /**
   * A pass over many rows of each stream: their prompts. Its rows always take the operations' forms
   * for prefill, even when there is one row only.
   *
   * @param spans one per stream, covering the T ids without gap or overlap; each context was
   *     extended by the rows. A span may have a selector of key blocks
   * @param ids [T]; rows whose embeddings are replaced have any id of the table
   * @param outputs rows in [0, T) whose logits are wanted, for generation the last of each stream
   * @param draws one per output; empty when nothing will be sampled
   * @throws IllegalArgumentException besides for spans that do not fit: for a selector whose grid
   *     is larger than the back end can do, or whose masks are of another number of rows
   */
  Batch prefillBatch(List<Span> spans, int[] ids, int[] outputs, List<Draw> draws);

  /**
   * A pass over one row of each stream, the last of its context: its newest token. Its rows always
   * take the operations' forms for decoding. Where there are draws, the ids count as seen, see
   * {@link Context#seen}.
   *
   * @param ids one per context
   * @param draws one per context; empty when nothing will be sampled
   */
  Batch decodeBatch(List<? extends Context> contexts, int[] ids, List<Draw> draws);

  /**
   * Patches of one pass of the vision tower.
   *
   * @param angles [T, D/2] float32 radians
   * @param headDim D, even
   * @param segmentations ways of cutting the T patches into segments, patches of each: attention
   *     windows, whole frame pairs
   * @param arena what the batch belongs to, as a buffer would
   */
  PatchBatch patchBatch(float[] angles, int headDim, List<int[]> segmentations, Arena arena);

  /** Makes patches of pictures on the device; empty: the host makes them. */
  default Optional<PatchMaker> patchMaker() {
    return Optional.empty();
  }

  /**
   * Runs a fixed sequence of operations over a decode batch. The first call for a key and a number
   * of {@link Batch#rows} may record what {@code body} does, and later calls repeat the recording
   * without running {@code body}. So {@code body} must be a function of {@code key}, the number of
   * rows and the content of the batch alone: it allocates from the arena that it is given and no
   * other, and asks for nothing that comes to the host.
   *
   * @param key what the body is, by identity: one body per key
   * @param body gets an arena whose buffers are at the same place in every repetition
   * @return what the body returned, now or when it was recorded; its buffers hold this batch's
   *     values until the next call of {@code replay}
   */
  <R> R replay(Object key, Batch batch, Function<Arena, R> body);

  // --- operations ---

  /**
   * {@code out[t] = table[ids[t]]} for the ids of the batch: out [T, C] float32.
   *
   * @throws IllegalArgumentException for an id outside the table
   */
  void embed(Table table, Batch batch, DeviceBuffer out);

  /**
   * {@code out[i] = x[outputs[i]]}, the batch's rows whose logits are wanted: x [T, width], out [R,
   * width] of the same type.
   */
  void outputs(DeviceBuffer x, Batch batch, int width, DeviceBuffer out);

  /**
   * {@code out[rows[i]] = x[first + i]}, rows of {@code width}, x and out of the same type: vision
   * rows into the embeddings.
   */
  void scatter(DeviceBuffer x, int first, int[] rows, int width, DeviceBuffer out);

  /** As the other {@code scatter}, from the first row of {@code x}. */
  default void scatter(DeviceBuffer x, int[] rows, int width, DeviceBuffer out) {
    scatter(x, 0, rows, width, out);
  }

  /**
   * {@code out[t] = gain * x[t] / sqrt(mean(x[t]^2) + eps)}, statistics in float32 or better; x [T,
   * C] float32, out [T, C] with C the length of {@code gain}. Zhang and Sennrich 2019, eq. 4.
   * Differs: eps under the root, as in the published model.
   */
  void rmsNorm(DeviceBuffer x, Vector gain, float eps, int tokens, DeviceBuffer out);

  /** {@code out = x w^T + bias}: x [T, columns], out [T, rows] of type A or float32. */
  void linear(DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out);

  /** {@code out += x w^T + bias}, the residual form: out [T, rows] float32. */
  void linearAdd(DeviceBuffer x, Matrix w, @Nullable Vector bias, int tokens, DeviceBuffer out);

  /** {@code out[t] = silu(gateUp[t, 0:F]) * gateUp[t, F:2F]}: gateUp [T, 2F], out [T, F]. */
  void swiGlu(DeviceBuffer gateUp, int tokens, int width, DeviceBuffer out);

  /** Exact (erf) GELU in place over the first {@code elements}. */
  void gelu(DeviceBuffer x, long elements);

  /**
   * Attention of the vision tower: no mask, every patch attends over its own segment. Q and K are
   * rotated first: pair i of a head is components i and i + D/2, angle {@code angles[t, i]} of the
   * batch; scale {@code D^-0.5}.
   *
   * @param qkv [T, 3, H, D]; overwritten
   * @param segmentation which of the batch's ways of cutting the patches into segments
   * @param out [T, H * D]
   */
  void segmentAttention(
      DeviceBuffer qkv, PatchBatch patches, int segmentation, int heads, DeviceBuffer out);

  /**
   * Attention of one decoder layer for a batch of streams: takes the new tokens' Q, K and V, writes
   * K (before rotation) and V to the rows' slots, and attends causally over each span's own context
   * with grouped query heads (query head i uses KV head {@code i / (H / K)}), Q and K rotated by
   * their rows' positions; scale {@code D^-0.5}, softmax in float32. Where a span has a selector
   * that does not leave it to dense attention ({@link Span#sparse}), each query head attends to the
   * key blocks that it chose from these very Q and K.
   *
   * @param qkv [T, (H + 2 K) * D]: Q heads, K heads, V heads of each token; Q may be overwritten
   * @param out [T, H * D]
   */
  void attend(int layer, DeviceBuffer qkv, Batch batch, DeviceBuffer out);

  /**
   * Chooses one token for each output of the batch by its {@link Draw}: penalty on the ids seen,
   * temperature, top-k, top-p, then the best or a random one ({@link Sampler} is the reference).
   * Waits for the device: this is where a step ends.
   *
   * @param logits [R, V] float32; may be overwritten
   * @return an id per output, -1 where the logit of an id that may be chosen is not finite
   * @throws IllegalArgumentException if the batch was made without draws
   */
  int[] sample(DeviceBuffer logits, Vocabulary vocabulary, Batch batch);

  // --- what it did ---

  /**
   * What the last {@link #attend} of this batch chose for a span; waits for the device. For
   * comparisons: it need not be fast.
   *
   * @param span index of the span in its batch
   * @throws IllegalStateException if the span has no selector, or nothing was attended yet
   */
  default BlockSelection selection(Batch batch, int span) {
    throw new IllegalStateException(
        "selection: the back end '%s' attends to everything; give a span a selector on one that can choose"
            .formatted(name()));
  }

  /** What sparse prefill attention did since this was opened; any thread. */
  default SparseCounters sparseCounters() {
    return SparseCounters.NONE;
  }

  /**
   * Bytes of the device that attention of one span over chosen blocks takes beside the buffers of
   * its pass, at most: seen to before a step, so that none fails for want of it. Spans of a batch
   * take theirs one after the other, so the largest counts.
   *
   * @param queries rows of the span
   * @param keys rows of its context, the span's included
   * @return 0 where it lies in the memory of the host
   */
  default long sparseSpace(KvShape shape, int queries, int keys, FlexPrefill selector) {
    return 0;
  }

  /** Counts since it was opened; any thread. */
  default DeviceCounters counters() {
    return DeviceCounters.NONE;
  }

  @Override
  void close();
}
