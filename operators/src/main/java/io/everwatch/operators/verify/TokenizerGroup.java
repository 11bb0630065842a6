// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.model.TokenDecoder;
import io.everwatch.operators.model.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Encoding, whole decoding and decoding id by id, with a small and the published tokenizer. */
final class TokenizerGroup implements GoldenGroup {
  @Override
  public String name() {
    return "tokenizer";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    run("tiny", Tokenizer.read(context.path("tiny_a").resolve("tokenizer.json")), context, report);
    Path packed = context.path(name()).resolve("qwen2_5_tokenizer.json.gz");
    if (Files.exists(packed)) {
      run("qwen2_5", unpack(packed), context, report);
    }
  }

  private static Tokenizer unpack(Path packed) throws IOException {
    Path file = Files.createTempFile("tokenizer", ".json");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      Files.write(file, in.readAllBytes());
      return Tokenizer.read(file);
    } finally {
      Files.delete(file);
    }
  }

  private static void run(
      String label, Tokenizer tokenizer, GoldenContext context, GoldenReport report)
      throws IOException {
    for (JsonNode one : context.lines("tokenizer/encode_" + label + ".jsonl")) {
      report.exact(caseName(label, "encode", one), () -> whole(tokenizer, one));
    }
    for (JsonNode one : context.lines("tokenizer/stream_" + label + ".jsonl")) {
      report.exact(caseName(label, "stream", one), () -> pieces(tokenizer, one));
    }
  }

  private static String caseName(String label, String kind, JsonNode one) {
    return "%s %s %d %s".formatted(label, kind, one.get("n").intValue(), one.get("group").asText());
  }

  private static String whole(Tokenizer tokenizer, JsonNode one) {
    String text = one.get("text").textValue();
    String decoded = one.path("decoded").asText(text);
    int[] ids = GoldenContext.ints(one.get("ids"));
    return Differences.between(tokenizer.encodeWithSpecials(text), ids)
        + Differences.between(tokenizer.decode(ids, false), decoded)
        + Differences.between(
            tokenizer.decode(ids, true), one.path("decoded_skip_special").asText(decoded));
  }

  private static String pieces(Tokenizer tokenizer, JsonNode one) {
    TokenDecoder decoder = new TokenDecoder(tokenizer, false);
    List<String> actual = new ArrayList<>();
    for (JsonNode id : one.get("ids")) {
      actual.add(decoder.push(id.intValue()));
    }
    actual.add(decoder.flush());
    List<String> expected = new ArrayList<>();
    one.get("pieces").forEach(piece -> expected.add(piece.textValue()));
    expected.add(one.get("tail").textValue());
    return Differences.between(actual, expected);
  }
}
