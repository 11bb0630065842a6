// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.SamplingRules;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A row of logits of the published model's fixtures and the probabilities that follow from it.
 * Reads just what these files are made of: this module has no JSON.
 */
record GoldenSampling(
    String name,
    SamplingRules rules,
    int[] seen,
    float[] logits,
    float[] scores,
    float[] probabilities) {
  private static final Path FOLDER =
      Path.of("../operators/src/test/golden/qwen2_5_vl/sampling"); // where all fixtures are

  static List<GoldenSampling> read() throws IOException {
    ByteBuffer file =
        ByteBuffer.wrap(Files.readAllBytes(FOLDER.resolve("sampling.safetensors")))
            .order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(file.getLong());
    String tensors = StandardCharsets.UTF_8.decode(file.slice(8, header)).toString();
    ByteBuffer data =
        file.slice(8 + header, file.capacity() - 8 - header).order(ByteOrder.LITTLE_ENDIAN);
    List<GoldenSampling> cases = new ArrayList<>();
    for (String line : Files.readAllLines(FOLDER.resolve("cases.json"))) {
      if (line.startsWith("{")) {
        String name = field(line, "name");
        cases.add(
            new GoldenSampling(
                name,
                new SamplingRules(
                    Float.parseFloat(field(line, "repetition_penalty")),
                    Float.parseFloat(field(line, "temperature")),
                    Integer.parseInt(field(line, "top_k")),
                    Float.parseFloat(field(line, "top_p"))),
                Arrays.stream(field(line, "ids").split(",")).mapToInt(Integer::parseInt).toArray(),
                tensor(tensors, data, name + "_logits"),
                tensor(tensors, data, name + "_scores"),
                tensor(tensors, data, name + "_probabilities")));
      }
    }
    return cases;
  }

  /** A string, a number, or what stands in the brackets. */
  private static String field(String json, String name) {
    return find(json, "\"" + name + "\":(?:\"([^\"]*)\"|\\[([^\\]]*)\\]|([^,}]*))");
  }

  private static float[] tensor(String header, ByteBuffer data, String name) {
    String[] range =
        find(header, "\"" + name + "\":\\{\"dtype\":\"F32\"[^}]*\"data_offsets\":\\[([^\\]]*)\\]")
            .split(",", -1);
    int from = Integer.parseInt(range[0]);
    float[] values = new float[(Integer.parseInt(range[1]) - from) / Float.BYTES];
    data.slice(from, values.length * Float.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  private static String find(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    if (!matcher.find()) {
      throw new IllegalArgumentException("nothing matches " + pattern);
    }
    for (int i = 1; i <= matcher.groupCount(); i++) {
      if (matcher.group(i) != null) {
        return matcher.group(i);
      }
    }
    throw new IllegalArgumentException(pattern + " matches without a group");
  }
}
