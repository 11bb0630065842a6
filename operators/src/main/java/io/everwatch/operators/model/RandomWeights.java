// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.SeededTensor;
import io.everwatch.kernels.TensorSource;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights of a shape whose checkpoint is not at hand, so that its speed can be measured: what comes
 * out is finite and of ordinary size, and means nothing. A weight has variance 1 / columns, so that
 * a product keeps the size of its input; what is added to the residual stream is made smaller by
 * the number of additions.
 */
final class RandomWeights {
  /** Standard deviation of a bias against that of the product it is added to. */
  private static final float BIAS = 0.1f;

  private RandomWeights() {}

  /** All tensors by their published names; each has a seed of its own. */
  static Map<String, TensorSource> of(ModelConfig config, long seed) {
    Map<String, TensorSource> tensors = new LinkedHashMap<>();
    WeightShapes.of(config)
        .forEach(
            (name, shape) -> {
              if (!(config.text().tieWordEmbeddings() && name.equals(WeightShapes.OUTPUT_HEAD))) {
                tensors.put(name, tensor(name, shape, config, seed));
              }
            });
    return tensors;
  }

  private static SeededTensor tensor(String name, List<Long> shape, ModelConfig config, long seed) {
    long own = seed ^ hash(name);
    if (name.endsWith(".bias")) {
      return new SeededTensor(name, shape, own, 0, uniform(BIAS));
    }
    if (shape.size() == 1) {
      return new SeededTensor(name, shape, own, 1, 0); // the gain of a norm
    }
    double columns = shape.stream().skip(1).reduce(1L, Math::multiplyExact);
    return new SeededTensor(
        name, shape, own, 0, uniform(1 / Math.sqrt(columns * additions(name, config))));
  }

  /** How often the residual stream is added to by tensors like this one; 1 for all others. */
  private static int additions(String name, ModelConfig config) {
    boolean adds =
        name.endsWith("o_proj.weight")
            || name.endsWith("attn.proj.weight")
            || name.endsWith("down_proj.weight");
    if (!adds) {
      return 1;
    }
    return 2 * (name.startsWith("visual.") ? config.vision().depth() : config.text().numLayers());
  }

  /** Half the width of a uniform distribution of this standard deviation. */
  private static float uniform(double deviation) {
    return (float) (deviation * Math.sqrt(3));
  }

  private static long hash(String name) {
    byte[] digest = ContentDigest.sha256().digest(name.getBytes(StandardCharsets.UTF_8));
    return ByteBuffer.wrap(digest).getLong();
  }
}
