// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.operators.cache.StreamingVlmPolicy.Cut;
import io.everwatch.operators.cache.StreamingVlmPolicy.Trim;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every streaming fixture, replayed on integers: which rows survive, in which order, how many are
 * cached, what they count as, and their positions. All of it is exact.
 */
class GoldenStreamingBookkeepingTest {
  private static final Path FIXTURES = Path.of("src/test/golden/qwen2_5_vl/streaming");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int IM_END = 488;
  private static final int END_OF_TEXT = 486;
  private static final int PAUSE = 264;
  private static final int NEWLINE = 198;
  private static final Map<String, SegmentKind> KINDS =
      Map.ofEntries(
          Map.entry("system", SegmentKind.SYSTEM),
          Map.entry("prev_open", SegmentKind.MEMORY_OPEN),
          Map.entry("prev", SegmentKind.MEMORY),
          Map.entry("prev_close", SegmentKind.MEMORY_CLOSE),
          Map.entry("user_open", SegmentKind.USER_OPEN),
          Map.entry("marker", SegmentKind.MARKER),
          Map.entry("vision", SegmentKind.VISION),
          Map.entry("query", SegmentKind.QUERY),
          Map.entry("user_close", SegmentKind.USER_CLOSE),
          Map.entry("asst_open", SegmentKind.ASSISTANT_OPEN),
          Map.entry("gen", SegmentKind.GENERATED),
          Map.entry("asst_close", SegmentKind.ASSISTANT_CLOSE));

  private final Map<Long, Integer> firstBorn = new HashMap<>(); // of each segment, by its id
  private int born;

  static Stream<String> cases() throws IOException {
    JsonNode cases = JSON.readTree(FIXTURES.resolve("cases.json").toFile());
    assertThat(cases).hasSize(9);
    return StreamSupport.stream(cases.spliterator(), false).map(c -> c.get("name").asText());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void replaysTheFixture(String name) throws IOException {
    List<String> lines = Files.readAllLines(FIXTURES.resolve(name + ".json"));
    JsonNode setting = JSON.readTree(lines.get(0));
    Tensors tensors = Tensors.read(FIXTURES.resolve(name + ".safetensors"));
    FakeStream stream = new FakeStream(policy(setting), grid(setting), IM_END, NEWLINE);
    PositionMode positions = new ContiguousPositions();

    assertThat(lines).hasSize(setting.get("chunks").asInt() + 1);
    for (String line : lines.subList(1, lines.size())) {
      JsonNode chunk = JSON.readTree(line);
      String at = "%s, chunk %d: ".formatted(name, chunk.get("chunk").asInt());
      assertThat(stream.round()).isEqualTo(chunk.get("chunk").asLong());

      StreamMemory survivors = stream.compact();
      assertThat(born(survivors)).as(at + "survivors").isEqualTo(ints(chunk, "survivors"));
      assertThat(survivors.cachedRows()).as(at + "cached").isEqualTo(chunk.get("cached").asInt());

      appendRound(stream, setting, chunk, survivors.rows());
      StreamMemory prompt = stream.memory();
      assertThat(prompt.ids()).as(at + "ids").isEqualTo(ints(chunk, "ids"));
      assertThat(born(prompt)).as(at + "born").isEqualTo(ints(chunk, "born"));
      assertThat(kinds(prompt)).as(at + "parts").isEqualTo(expectedKinds(setting, chunk));
      assertThat(rounds(prompt)).as(at + "rounds").isEqualTo(ints(chunk, "rounds"));
      String tensor = "chunk_%02d_positions".formatted(chunk.get("chunk").asInt());
      assertThat(positions.positions(prompt)).as(at + tensor).isDeepEqualTo(tensors.get(tensor));

      answer(stream, chunk);
      StreamMemory after = stream.memory();
      assertThat(after.cachedRows()).as(at).isEqualTo(chunk.get("cached_after").asInt());
      assertThat(positions.positions(after))
          .as(at + tensor + "_after")
          .isDeepEqualTo(tensors.get(tensor + "_after"));
    }
  }

  /** Rows behind the survivors, one segment per part and round. */
  private void appendRound(FakeStream stream, JsonNode setting, JsonNode chunk, int from) {
    int[] ids = ints(chunk, "ids");
    int[] rounds = ints(chunk, "rounds");
    List<SegmentKind> kinds = expectedKinds(setting, chunk);
    List<Slice> slices = new ArrayList<>();
    int start = from;
    for (int row = from + 1; row <= ids.length; row++) {
      if (row == ids.length || kinds.get(row) != kinds.get(start) || rounds[row] != rounds[start]) {
        int[] run = java.util.Arrays.copyOfRange(ids, start, row);
        slices.add(count(stream.segment(kinds.get(start), rounds[start], run)));
        start = row;
      }
    }
    stream.append(slices);
  }

  private void answer(FakeStream stream, JsonNode chunk) {
    stream.answer(ints(chunk, "output"));
    List<Slice> slices = stream.memory().slices();
    count(slices.get(slices.size() - 1));
  }

  private Slice count(Slice slice) {
    firstBorn.put(slice.segment().id(), born);
    born += slice.rows();
    return slice;
  }

  private int[] born(StreamMemory memory) {
    return memory.slices().stream()
        .flatMapToInt(
            s -> {
              int first = firstBorn.getOrDefault(s.segment().id(), -1000);
              return IntStream.range(first + s.from(), first + s.to());
            })
        .toArray();
  }

  private static List<SegmentKind> kinds(StreamMemory memory) {
    return memory.slices().stream()
        .flatMap(s -> IntStream.range(0, s.rows()).mapToObj(i -> s.kind()))
        .toList();
  }

  private static int[] rounds(StreamMemory memory) {
    return memory.slices().stream()
        .flatMapToInt(s -> IntStream.range(0, s.rows()).map(i -> (int) s.round()))
        .toArray();
  }

  private static List<SegmentKind> expectedKinds(JsonNode setting, JsonNode chunk) {
    JsonNode names = setting.get("part_names");
    return IntStream.of(ints(chunk, "parts"))
        .mapToObj(p -> KINDS.get(names.get(p).asText()))
        .toList();
  }

  private static StreamingVlmPolicy policy(JsonNode setting) {
    JsonNode p = setting.get("policy");
    int textRounds = p.get("text_rounds").asInt();
    int visualRounds = p.get("vision_rounds").asInt();
    RetentionWindow window =
        p.get("sink").isNull()
            ? RetentionWindow.uncut(textRounds, visualRounds)
            : new RetentionWindow(
                textRounds, visualRounds, true, p.get("sink").asInt(), p.get("window").asInt());
    return new StreamingVlmPolicy(
        window,
        new TurnTokens(PAUSE, Set.of(IM_END, END_OF_TEXT)),
        Cut.valueOf(p.get("cut").asText().toUpperCase(Locale.ROOT)),
        Trim.valueOf(p.get("trim").asText().toUpperCase(Locale.ROOT)));
  }

  private static VideoGrid grid(JsonNode setting) {
    JsonNode thw = setting.get("grid_thw");
    float fps = (float) setting.get("policy").get("fps").asDouble();
    return new VideoGrid(
        thw.get(0).asInt(), thw.get(1).asInt() / 2, thw.get(2).asInt() / 2, 2f / fps * 2f);
  }

  private static int[] ints(JsonNode node, String field) {
    return StreamSupport.stream(node.get(field).spliterator(), false)
        .mapToInt(JsonNode::asInt)
        .toArray();
  }

  /** Just enough of the container format for {@code [3, n]} float32 tensors. */
  private record Tensors(JsonNode header, ByteBuffer data) {
    static Tensors read(Path file) throws IOException {
      ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      int length = Math.toIntExact(all.getLong());
      String header = StandardCharsets.UTF_8.decode(all.slice(8, length)).toString();
      ByteBuffer data = all.slice(8 + length, all.capacity() - 8 - length);
      return new Tensors(JSON.readTree(header), data.order(ByteOrder.LITTLE_ENDIAN));
    }

    float[][] get(String name) {
      JsonNode entry = header.get(name);
      assertThat(entry.get("dtype").asText()).isEqualTo("F32");
      int columns = entry.get("shape").get(1).asInt();
      int at = entry.get("data_offsets").get(0).asInt();
      float[][] out = new float[entry.get("shape").get(0).asInt()][columns];
      for (float[] row : out) {
        for (int i = 0; i < columns; i++, at += Float.BYTES) {
          row[i] = data.getFloat(at);
        }
      }
      return out;
    }
  }
}
