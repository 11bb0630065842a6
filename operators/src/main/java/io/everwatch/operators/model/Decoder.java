// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.Batch;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.StepSpace;
import io.everwatch.kernels.Table;
import io.everwatch.kernels.Vector;
import java.util.List;

/**
 * The language model (Qwen2.5-VL specification, section 9): embeddings in, logits out, for a batch
 * of streams; one row of a stream at a time or many, which makes no difference to the numbers but
 * their last bits. Shapes: T tokens of all streams, C width, H heads, K KV heads, D head dim, F
 * feed-forward, V vocabulary.
 *
 * <p>One thread at a time, that of the back end.
 */
public final class Decoder {
  private final Backend backend;
  private final TextConfig config;
  private final Table embedding; // [V, C]
  private final Layer[] layers;
  private final Vector finalNorm; // [C]
  private final Matrix head; // [V, C]

  private record Layer(
      Vector inputNorm, // [C]
      Matrix qkv, // [(H + 2 K) D, C]
      Vector qkvBias,
      Matrix out, // [C, H D]
      Vector postAttentionNorm, // [C]
      Matrix gateUp, // [2 F, C]
      Matrix down) {} // [C, F]

  /**
   * Lays out the decoder's weights on the back end, which owns them.
   *
   * @param afterLayer called after each layer
   */
  Decoder(TextConfig config, Weights weights, Backend backend, Runnable afterLayer) {
    this.backend = backend;
    this.config = config;
    this.embedding = backend.table(weights.get("model.embed_tokens.weight"));
    this.layers = new Layer[config.numLayers()];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = layer(new LayerWeights("model.layers." + i + ".", weights, backend));
      afterLayer.run();
    }
    this.finalNorm = new LayerWeights("model.", weights, backend).gain("norm");
    this.head = backend.matrix("lm_head", List.of(weights.outputHead()));
  }

  private static Layer layer(LayerWeights at) {
    return new Layer(
        at.gain("input_layernorm"),
        at.matrix("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        at.bias("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        at.matrix("self_attn.o_proj"),
        at.gain("post_attention_layernorm"),
        at.matrix("mlp.gate_proj", "mlp.up_proj"),
        at.matrix("mlp.down_proj"));
  }

  /** Shape of a cached row, for {@link Backend#rowPool}. */
  public KvShape kvShape() {
    return new KvShape(
        config.numLayers(),
        config.numHeads(),
        config.numKvHeads(),
        config.headDim(),
        config.mropeSection().stream().mapToInt(Integer::intValue).toArray(),
        config.ropeTheta());
  }

  /**
   * What {@link #embed}, {@link #forward} and {@link #logits} take from an arena.
   *
   * @param rows T
   * @param outputs R, rows whose logits are wanted
   */
  public StepSpace space(int rows, int outputs) {
    long width = config.hiddenSize();
    long attentionWidth = (long) config.numHeads() * config.headDim();
    long perRow =
        width + 2 * attentionWidth + 2L * config.kvSize() + 3L * config.intermediateSize();
    return new StepSpace(
        rows * perRow + outputs * (attentionWidth + width),
        rows * width + outputs * (width + config.vocabSize()),
        rows, // places of vision rows
        11);
  }

  /** V, width of the logits; the last rows of the embedding may belong to no token. */
  public int vocabSize() {
    return config.vocabSize();
  }

  /**
   * The pass over one new token of each stream, embeddings to logits.
   *
   * @param batch a decode batch
   * @return {@code [R, V]} float32, valid until the next decode
   */
  public DeviceBuffer decode(Batch batch) {
    return backend.replay(
        this, batch, arena -> logits(forward(embed(batch, arena), batch, arena), batch, arena));
  }

  /**
   * Embeddings of the batch's ids.
   *
   * @return {@code [T, C]} float32 in {@code arena}; rows of pads are to be replaced by {@link
   *     #placeVision}
   */
  public DeviceBuffer embed(Batch batch, Arena arena) {
    DeviceBuffer x = arena.allocateF32(batch.rows(), config.hiddenSize());
    backend.embed(embedding, batch, x);
    return x;
  }

  /**
   * Replaces embeddings of pads by rows of the tower (section 9.4).
   *
   * @param vision {@code [rows, C]}, the result of {@link VisionTower#encode}
   * @param first row of {@code vision} to begin with
   * @param pads row of {@code x} for each row of {@code vision} from there
   */
  public void placeVision(DeviceBuffer vision, int first, int[] pads, DeviceBuffer x) {
    backend.scatter(vision, first, pads, config.hiddenSize(), x);
  }

  /**
   * Runs all layers; K and V of the new rows go to their slots of the pool. Nothing comes after the
   * last layer's attention but the logits of the wanted rows, so only they go on from there; none
   * does when no logits are wanted.
   *
   * @param x {@code [T, C]} float32 embeddings; overwritten
   * @return the last layer's output {@code [R, C]} float32 in {@code arena}, for {@link #logits}
   */
  public DeviceBuffer forward(DeviceBuffer x, Batch batch, Arena arena) {
    return forward(x, batch, arena, Trace.NONE);
  }

  /** As the other {@code forward}; {@code trace} sees what lies between. */
  public DeviceBuffer forward(DeviceBuffer x, Batch batch, Arena arena, Trace trace) {
    int tokens = batch.rows();
    int width = config.hiddenSize();
    int feedForward = config.intermediateSize();
    int attentionWidth = config.numHeads() * config.headDim();

    DeviceBuffer n = arena.allocate(tokens, width); // [T, C]
    DeviceBuffer qkv = arena.allocate(tokens, attentionWidth + 2L * config.kvSize());
    DeviceBuffer attention = arena.allocate(tokens, attentionWidth); // [T, H D]
    DeviceBuffer gateUp = arena.allocate(tokens, 2L * feedForward); // [T, 2 F]
    DeviceBuffer gated = arena.allocate(tokens, feedForward); // [T, F]
    for (int i = 0; i < layers.length; i++) {
      Layer layer = layers[i];
      trace.saw(Trace.Step.LAYER_INPUT, i, x, tokens, width);

      // x += out(attention(inputNorm(x)))
      backend.rmsNorm(x, layer.inputNorm(), config.rmsNormEps(), tokens, n);
      backend.linear(n, layer.qkv(), layer.qkvBias(), tokens, qkv); // [T, (H + 2 K) D]
      backend.attend(i, qkv, batch, attention);
      trace.saw(Trace.Step.LAYER_ATTENTION, i, attention, tokens, attentionWidth);
      if (i == layers.length - 1 && batch.outputs() == 0) {
        return x; // all rows are cached
      }
      if (i == layers.length - 1 && !batch.everyRow()) {
        tokens = batch.outputs();
        DeviceBuffer wanted = arena.allocateF32(tokens, width); // [R, C]
        backend.outputs(x, batch, width, wanted);
        x = wanted;
        DeviceBuffer attended = arena.allocate(tokens, attentionWidth); // [R, H D]
        backend.outputs(attention, batch, attentionWidth, attended);
        attention = attended;
      }
      backend.linearAdd(attention, layer.out(), null, tokens, x);

      // x += down(silu(gate(n)) * up(n)), n = postAttentionNorm(x)
      backend.rmsNorm(x, layer.postAttentionNorm(), config.rmsNormEps(), tokens, n);
      backend.linear(n, layer.gateUp(), null, tokens, gateUp);
      backend.swiGlu(gateUp, tokens, feedForward, gated);
      backend.linearAdd(gated, layer.down(), null, tokens, x);
    }
    return x;
  }

  /**
   * Scores of the token after each of the wanted rows.
   *
   * @param x {@code [R, C]} float32, what {@link #forward} returned
   * @return {@code [R, V]} float32 in {@code arena}
   */
  public DeviceBuffer logits(DeviceBuffer x, Batch batch, Arena arena) {
    return logits(x, batch, arena, Trace.NONE);
  }

  /** As {@link #logits(DeviceBuffer, Batch, Arena)}; {@code trace} sees the final norm. */
  public DeviceBuffer logits(DeviceBuffer x, Batch batch, Arena arena, Trace trace) {
    int rows = batch.outputs();
    DeviceBuffer n = arena.allocate(rows, config.hiddenSize());
    backend.rmsNorm(x, finalNorm, config.rmsNormEps(), rows, n);
    trace.saw(Trace.Step.FINAL_NORM, 0, n, rows, config.hiddenSize());
    DeviceBuffer logits = arena.allocateF32(rows, config.vocabSize()); // [R, V]
    backend.linear(n, head, null, rows, logits);
    return logits;
  }
}
