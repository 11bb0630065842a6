// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.kernels.Backend;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The directory of fixtures, the back end under test, and the checkpoints loaded on it so far. */
final class GoldenContext {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path directory;
  private final Backend backend;
  private final Accuracy accuracy;
  private final Map<String, Model> models = new HashMap<>();

  GoldenContext(Path directory, Backend backend) {
    this.directory = directory;
    this.backend = backend;
    this.accuracy = Accuracy.of(backend.dtype());
  }

  Path path(String name) {
    return directory.resolve(name);
  }

  Backend backend() {
    return backend;
  }

  /** For numbers that the back end computed. */
  Accuracy accuracy() {
    return accuracy;
  }

  /** A checkpoint of the directory, by its folder. */
  Model model(String checkpoint) {
    return models.computeIfAbsent(
        checkpoint, name -> Model.load(ModelFolder.open(path(name)), backend));
  }

  /** The array of cases in a JSON file. */
  List<JsonNode> cases(String file) throws IOException {
    List<JsonNode> cases = new ArrayList<>();
    MAPPER.readTree(path(file).toFile()).forEach(cases::add);
    return cases;
  }

  /** A file with one JSON object per line. */
  List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(path(file))) {
      lines.add(MAPPER.readTree(line));
    }
    return lines;
  }

  JsonNode json(String file) throws IOException {
    return MAPPER.readTree(path(file).toFile());
  }

  Tensors tensors(String file) {
    return new Tensors(Safetensors.open(path(file)));
  }

  /** Stored tensors as plain arrays. */
  record Tensors(Safetensors file) {
    boolean has(String name) {
      return file.tensors().containsKey(name);
    }

    float[] floats(String name) {
      return file.tensor(name).floats();
    }

    int[] ints(String name) {
      long[] values = file.tensor(name).integers();
      int[] ints = new int[values.length];
      for (int i = 0; i < ints.length; i++) {
        ints[i] = Math.toIntExact(values[i]);
      }
      return ints;
    }

    byte[] bytes(String name) {
      int[] values = ints(name);
      byte[] bytes = new byte[values.length];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) values[i];
      }
      return bytes;
    }

    /** Extent of dimension {@code index}. */
    int extent(String name, int index) {
      return Math.toIntExact(file.tensor(name).shape().get(index));
    }
  }

  /** The array as ints. */
  static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).intValue();
    }
    return values;
  }
}
