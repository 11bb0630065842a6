// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
  @TempDir Path folder;

  static Stream<JsonNode> storedTypes() throws IOException {
    JsonNode cases = new ObjectMapper().readTree(GoldenFolder.QWEN.resolve("dtypes.json").toFile());
    return StreamSupport.stream(cases.spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("storedTypes")
  void readsEveryStoredType(JsonNode expected) {
    StoredTensor tensor =
        Safetensors.open(GoldenFolder.QWEN.resolve("dtypes.safetensors"))
            .tensor(expected.get("name").asText());

    assertThat(tensor.type().name()).isEqualTo(expected.get("dtype").asText());
    assertThat(tensor.shape())
        .isEqualTo(
            StreamSupport.stream(expected.get("shape").spliterator(), false)
                .map(JsonNode::asLong)
                .toList());
    if (expected.has("values")) {
      assertThat(tensor.integers())
          .containsExactly(
              StreamSupport.stream(expected.get("values").spliterator(), false)
                  .mapToLong(JsonNode::asLong)
                  .toArray());
    } else {
      float[] values = tensor.floats();
      assertThat(values).hasSize(expected.get("float32_bits").size());
      for (int i = 0; i < values.length; i++) {
        float wanted =
            Float.intBitsToFloat(
                Integer.parseUnsignedInt(expected.get("float32_bits").get(i).asText(), 16));
        // Bits, so that -0 differs from 0; floatToIntBits makes all NaN one.
        assertThat(Float.floatToIntBits(values[i])).isEqualTo(Float.floatToIntBits(wanted));
      }
    }
  }

  @Test
  void saysWhatTheWriterSaysOfTheFile() {
    assertThat(
            Safetensors.open(
                    GoldenFolder.QWEN.resolveSibling("flexprefill/cap_b32_d32.safetensors"))
                .metadata())
        .containsEntry("case", "cap_b32_d32")
        .containsEntry("max_budget", "64");
    assertThat(Safetensors.open(GoldenFolder.QWEN.resolve("dtypes.safetensors")).metadata())
        .doesNotContainKey("case");
  }

  @Test
  void readsAnyPieceOfATensorThatLiesInSeveralMappings() throws IOException {
    Path file = GoldenFolder.QWEN.resolve("dtypes.safetensors");
    for (String name : List.of("f32", "bf16", "f16", "f64")) {
      StoredTensor whole = Safetensors.open(file).tensor(name);
      float[] expected = whole.floats();
      try (FileChannel channel = FileChannel.open(file)) {
        long size = 8 + headerBytes(file);
        SafetensorsHeader.Entry entry = entryOf(file, name);
        StoredTensor pieces = StoredTensor.map(channel, size, entry, 16);
        for (int from = 0; from < expected.length; from++) {
          for (int count = 0; count <= expected.length - from; count++) {
            float[] to = new float[count + 2];
            pieces.read(from, to, 1, count);
            assertThat(Arrays.copyOfRange(to, 1, 1 + count))
                .isEqualTo(Arrays.copyOfRange(expected, from, from + count));
            assertThat(to[0]).isZero();
            assertThat(to[count + 1]).isZero();
          }
        }
      }
    }
  }

  @Test
  void readsATensorBeyondTwoGibibytes() throws IOException {
    Path file = folder.resolve("large.safetensors");
    long elements = 1_600_000_000; // 3.2 GB in BF16; a hole in the file, no disk is used
    long bytes = 2 * elements;
    byte[] header =
        "{\"large\":{\"dtype\":\"BF16\",\"shape\":[%d,2],\"data_offsets\":[0,%d]},\"after\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%d,%d]}}"
            .formatted(elements / 2, bytes, bytes, bytes + 4)
            .getBytes(StandardCharsets.UTF_8);
    // Both sides of each border between mappings, of 2^31 bytes, and the last element.
    long[] places = {0, (1L << 29) - 1, 1L << 29, (1L << 30) - 1, 1L << 30, elements - 1};
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
      out.write(header);
      long data = out.getFilePointer();
      for (int i = 0; i < places.length; i++) {
        out.seek(data + 2 * places[i]);
        out.write(
            ByteBuffer.allocate(2)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) (0x3f80 + i))
                .array());
      }
      out.seek(data + bytes);
      out.write(new byte[] {0, 0, (byte) 0x80, 0x3f});
    }

    Safetensors opened = Safetensors.open(file);

    StoredTensor large = opened.tensor("large");
    assertThat(large.elements()).isEqualTo(elements);
    for (int i = 0; i < places.length; i++) {
      float[] to = new float[1];
      large.read(places[i], to, 0, 1);
      assertThat(to[0])
          .as("element %d", places[i])
          .isEqualTo(Float.intBitsToFloat((0x3f80 + i) << 16));
    }
    float[] across = new float[4];
    large.read((1L << 30) - 2, across, 0, 4);
    assertThat(across)
        .containsExactly(0, Float.intBitsToFloat(0x3f830000), Float.intBitsToFloat(0x3f840000), 0);
    assertThat(opened.tensor("after").floats()).containsExactly(1);
  }

  @Test
  void widensEveryHalfFloatExactly() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      int exponent = bits >> 10 & 31;
      double fraction = bits & 0x3ff;
      double magnitude =
          exponent == 0
              ? Math.scalb(fraction, -24)
              : exponent < 31
                  ? Math.scalb(1 + fraction / 1024, exponent - 15)
                  : fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
      double expected = (bits & 0x8000) == 0 ? magnitude : -magnitude;
      assertThat(Float.floatToIntBits(HalfFloat.toFloat((short) bits)))
          .isEqualTo(Float.floatToIntBits((float) expected));
    }
  }

  @Test
  void refusesToReadBeyondATensor() {
    StoredTensor tensor =
        Safetensors.open(GoldenFolder.QWEN.resolve("dtypes.safetensors")).tensor("f32");

    assertThatThrownBy(() -> tensor.read(30, new float[10], 0, 6))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> tensor.read(-1, new float[10], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  static Stream<Arguments> malformed() {
    return Stream.of(
        Arguments.of("not JSON", "{\"a\":", "is not valid JSON"),
        Arguments.of("not an object", "[1, 2]", "expected one JSON object"),
        Arguments.of("text behind the object", "{} {}", "is not valid JSON"),
        Arguments.of(
            "a name twice",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
            "Duplicate field 'a'"),
        Arguments.of("unknown dtype", entry("F8_E4M3", "[8]", "[0,8]"), "has dtype \"F8_E4M3\""),
        Arguments.of("no dtype", "{\"a\":{\"shape\":[8],\"data_offsets\":[0,8]}}", "has dtype"),
        Arguments.of("entry is a number", "{\"a\":3}", "a has dtype"),
        Arguments.of("negative offset", entry("U8", "[8]", "[-8,0]"), "has data_offsets [-8,0]"),
        Arguments.of("backward offsets", entry("U8", "[8]", "[8,0]"), "has data_offsets [8,0]"),
        Arguments.of("three offsets", entry("U8", "[8]", "[0,8,9]"), "has data_offsets [0,8,9]"),
        Arguments.of(
            "offset beyond long", entry("U8", "[8]", "[0,99999999999999999999]"), "data_offsets"),
        Arguments.of("negative shape", entry("U8", "[-8]", "[0,8]"), "has shape [-8]"),
        Arguments.of("fractional shape", entry("U8", "[8.5]", "[0,8]"), "has shape [8.5]"),
        Arguments.of("wrong length", entry("F32", "[3]", "[0,8]"), "has 8 bytes of data"),
        Arguments.of(
            "shape whose size overflows",
            entry("F32", "[4611686018427387904,4611686018427387904]", "[0,8]"),
            "has 8 bytes of data"),
        Arguments.of(
            "behind the end",
            entry("U8", "[9]", "[0,9]"),
            "describes 9 bytes of data, the file has 8"),
        Arguments.of(
            "not all data",
            entry("U8", "[7]", "[0,7]"),
            "describes 7 bytes of data, the file has 8"),
        Arguments.of(
            "overlap",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,5]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
            "b begins at byte 4, expected 5: tensors overlap"),
        Arguments.of(
            "gap",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
            "b begins at byte 4, expected 3: tensors leave a gap"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void namesWhatIsWrongWithAHeader(String name, String header, String message) throws IOException {
    Path file = SafetensorsFile.write(folder.resolve("a.safetensors"), header, new byte[8]);

    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("a.safetensors");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, 0, 1, 100_000_001, Long.MAX_VALUE, 50})
  void refusesAnAbsurdHeaderLengthWithoutAllocatingIt(long length) throws IOException {
    Path file = SafetensorsFile.write(folder.resolve("a.safetensors"), length, "{}", new byte[8]);

    assertThatThrownBy(() -> Safetensors.open(file))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("header has " + Long.toUnsignedString(length) + " bytes");
  }

  @Test
  void noticesATruncatedFileAtEveryLength() throws IOException {
    byte[] whole = Files.readAllBytes(GoldenFolder.QWEN.resolve("dtypes.safetensors"));
    for (int length = 0; length < whole.length; length += 7) {
      Path file = folder.resolve("cut.safetensors");
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Safetensors.open(file))
          .as("first %d of %d bytes", length, whole.length)
          .isInstanceOf(BadModelException.class)
          .hasMessageContaining("cut.safetensors");
    }
  }

  @Test
  void acceptsAHeaderPaddedWithSpacesAndDataAtAnyAlignment() throws IOException {
    Path file =
        SafetensorsFile.write(
            folder.resolve("a.safetensors"),
            "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                + "\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}   ",
            new byte[] {7, 0, 0, (byte) 0x80, (byte) 0xbf});

    assertThat(Safetensors.open(file).tensor("y").floats()).containsExactly(-1f);
    assertThat(Safetensors.open(file).tensor("x").integers()).containsExactly(7);
  }

  @Test
  void saysThatAFileIsMissing() {
    assertThatThrownBy(() -> Safetensors.open(folder.resolve("none.safetensors")))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("none.safetensors does not exist");
  }

  private static String entry(String type, String shape, String offsets) {
    return "{\"a\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
        .formatted(type, shape, offsets);
  }

  private static long headerBytes(Path file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(file), 0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private static SafetensorsHeader.Entry entryOf(Path file, String name) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int length = (int) headerBytes(file);
    return Objects.requireNonNull(
        SafetensorsHeader.parse(
                Arrays.copyOfRange(bytes, 8, 8 + length),
                bytes.length - 8 - length,
                file.toString())
            .entries()
            .get(name));
  }
}
