// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.kernels.TensorSource;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All tensors of a checkpoint under their published names, checked against the configuration: none
 * unknown, missing or misshapen (Qwen2.5-VL §4). Thread-safe.
 */
public final class Weights {
  private static final Logger LOG = LoggerFactory.getLogger(Weights.class);

  /** Prefixes on disk and the published ones, longest first: the first that fits counts. */
  private static final List<Map.Entry<String, String>> PREFIXES =
      List.of(Map.entry("model.language_model.", "model."), Map.entry("model.visual.", "visual."));

  private final Map<String, TensorSource> tensors;
  private final boolean tied;

  private Weights(Map<String, ? extends TensorSource> tensors, boolean tied) {
    this.tensors = Map.copyOf(tensors);
    this.tied = tied;
  }

  /**
   * Maps the weight files, or makes up the weights where the folder has a seed instead.
   *
   * @throws BadModelException naming every problem found
   */
  public static Weights open(ModelFolder folder, ModelConfig config) {
    if (folder.weightSeed().isPresent()) {
      return new Weights(
          RandomWeights.of(config, folder.weightSeed().getAsLong()),
          config.text().tieWordEmbeddings());
    }
    Problems problems = new Problems();
    Map<String, StoredTensor> found = new LinkedHashMap<>();
    Map<String, String> shardOf = new HashMap<>();
    for (Path file : folder.weights()) {
      for (StoredTensor tensor : Safetensors.open(file).tensors().values()) {
        shardOf.put(tensor.name(), String.valueOf(file.getFileName()));
        String name = canonical(tensor.name());
        StoredTensor other = found.putIfAbsent(name, tensor);
        if (other != null) {
          problems.add(
              "%s is there twice, as %s and as %s".formatted(name, other.name(), tensor.name()));
        }
      }
    }
    folder.weightIndex().ifPresent(index -> checkIndex(index, shardOf, problems));
    boolean tied = config.text().tieWordEmbeddings();
    check(found, WeightShapes.of(config), tied, problems);
    problems.throwIfAny(
        "weights of " + folder,
        "Expected the tensors that config.json describes; do all files belong to the same checkpoint?");
    if (tied) {
      dropTiedHead(found);
    }
    return new Weights(found, tied);
  }

  /**
   * A tensor by its published name, e.g. {@code model.layers.0.mlp.up_proj.weight}.
   *
   * @throws IllegalArgumentException if the architecture has no such tensor
   */
  public TensorSource get(String name) {
    TensorSource tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "the checkpoint has no tensor %s; its %d tensors have the names of the published model"
              .formatted(name, tensors.size()));
    }
    return tensor;
  }

  /** The output head [V, C]; the embedding table when they are tied. */
  public TensorSource outputHead() {
    return get(tied ? WeightShapes.EMBEDDING : WeightShapes.OUTPUT_HEAD);
  }

  /** Published names. */
  public Set<String> names() {
    return Set.copyOf(tensors.keySet());
  }

  /** Numbers in all tensors of an architecture; a tied output head counts once. */
  public static long count(ModelConfig config) {
    return WeightShapes.of(config).entrySet().stream()
        .filter(
            tensor ->
                !config.text().tieWordEmbeddings()
                    || !tensor.getKey().equals(WeightShapes.OUTPUT_HEAD))
        .mapToLong(tensor -> tensor.getValue().stream().reduce(1L, Math::multiplyExact))
        .sum();
  }

  static String canonical(String stored) {
    for (Map.Entry<String, String> prefix : PREFIXES) {
      if (stored.startsWith(prefix.getKey())) {
        return prefix.getValue() + stored.substring(prefix.getKey().length());
      }
    }
    return stored;
  }

  private static void check(
      Map<String, StoredTensor> found,
      Map<String, List<Long>> expected,
      boolean tied,
      Problems problems) {
    expected.forEach(
        (name, shape) -> {
          StoredTensor tensor = found.get(name);
          if (tensor == null) {
            if (!(tied && name.equals(WeightShapes.OUTPUT_HEAD))) {
              problems.add("%s %s is missing".formatted(name, shape));
            }
          } else if (!tensor.shape().equals(shape)) {
            problems.add(
                "%s has shape %s, expected %s".formatted(tensor.name(), tensor.shape(), shape));
          } else if (!tensor.type().isReal()) {
            problems.add(
                "%s holds %s, expected a floating-point type"
                    .formatted(tensor.name(), tensor.type()));
          }
        });
    found.forEach(
        (name, tensor) -> {
          if (!expected.containsKey(name)) {
            problems.add("%s %s is unknown".formatted(tensor.name(), tensor.shape()));
          }
        });
  }

  private static void checkIndex(Path index, Map<String, String> shardOf, Problems problems) {
    JsonNode map = JsonFile.read(index).path("weight_map");
    map.properties()
        .forEach(
            field -> {
              String actual = shardOf.getOrDefault(field.getKey(), "no file");
              if (!actual.equals(field.getValue().asText())) {
                problems.add(
                    "the index says %s is in %s, but it is in %s"
                        .formatted(field.getKey(), field.getValue().asText(), actual));
              }
            });
    shardOf.forEach(
        (name, shard) -> {
          if (!map.has(name)) {
            problems.add("%s in %s is not in the index".formatted(name, shard));
          }
        });
  }

  /** Tied, and there anyway: the embedding counts (§4). */
  private static void dropTiedHead(Map<String, StoredTensor> found) {
    StoredTensor head = found.remove(WeightShapes.OUTPUT_HEAD);
    StoredTensor embedding = found.get(WeightShapes.EMBEDDING);
    if (head != null && embedding != null && !sameValues(head, embedding)) {
      LOG.warn(
          "tie_word_embeddings is set, but {} differs from {}; the embedding is used for both",
          head.name(),
          embedding.name());
    }
  }

  private static boolean sameValues(StoredTensor a, StoredTensor b) {
    float[] left = new float[1 << 16];
    float[] right = new float[1 << 16];
    for (long at = 0; at < a.elements(); at += left.length) {
      int count = (int) Math.min(left.length, a.elements() - at);
      a.read(at, left, 0, count);
      b.read(at, right, 0, count);
      if (!Arrays.equals(left, 0, count, right, 0, count)) {
        return false;
      }
    }
    return true;
  }
}
