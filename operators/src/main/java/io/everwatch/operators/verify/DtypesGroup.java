// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.model.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;

/** Every storage type of the container, widened to float32 bit for bit, or as integers. */
final class DtypesGroup implements GoldenGroup {
  @Override
  public String name() {
    return "dtypes";
  }

  @Override
  public boolean isPresent(GoldenContext context) {
    return Files.isRegularFile(context.path("dtypes.json"));
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    for (JsonNode expected : context.cases("dtypes.json")) {
      String name = expected.get("name").asText();
      report.exact(
          name,
          () -> difference(context.tensors("dtypes.safetensors").file().tensor(name), expected));
    }
  }

  private static String difference(StoredTensor tensor, JsonNode expected) {
    if (!tensor.shape().toString().replace(" ", "").equals(expected.get("shape").toString())) {
      return "shape %s, expected %s".formatted(tensor.shape(), expected.get("shape"));
    }
    boolean real = expected.has("float32_bits");
    JsonNode values = expected.get(real ? "float32_bits" : "values");
    float[] reals = real ? tensor.floats() : new float[0];
    long[] integers = real ? new long[0] : tensor.integers();
    for (int i = 0; i < values.size(); i++) {
      // Bits, so that -0 differs from 0; floatToIntBits makes all NaN one.
      long actual = real ? Integer.toUnsignedLong(Float.floatToIntBits(reals[i])) : integers[i];
      long wanted = real ? bits(values.get(i).asText()) : values.get(i).asLong();
      if (actual != wanted) {
        return "%x at index %d, expected %x".formatted(actual, i, wanted);
      }
    }
    return Differences.between(reals.length + integers.length, values.size());
  }

  private static long bits(String hex) {
    float value = Float.intBitsToFloat(Integer.parseUnsignedInt(hex, 16));
    return Integer.toUnsignedLong(Float.floatToIntBits(value));
  }
}
