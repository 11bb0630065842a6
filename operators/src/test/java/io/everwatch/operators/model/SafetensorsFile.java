// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** Writes containers, whole and damaged, for tests. */
final class SafetensorsFile {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private SafetensorsFile() {}

  /** A file with any text as its header and any bytes as its data. */
  static Path write(Path file, String header, byte[] data) throws IOException {
    return write(file, header.getBytes(StandardCharsets.UTF_8).length, header, data);
  }

  /** The same with any number as its header length. */
  static Path write(Path file, long headerBytes, String header, byte[] data) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(headerBytes).array());
    out.write(header.getBytes(StandardCharsets.UTF_8));
    out.write(data);
    return Files.write(file, out.toByteArray());
  }

  /** Edits the header of a valid file and leaves its data as they are. */
  static void editHeader(Path file, Consumer<ObjectNode> edit) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    ObjectNode header = (ObjectNode) MAPPER.readTree(bytes, 8, length);
    edit.accept(header);
    byte[] data = Arrays.copyOfRange(bytes, 8 + length, bytes.length);
    write(file, header.toString(), data);
  }

  /** Gives a tensor another name. */
  static void rename(Path file, String from, String to) throws IOException {
    editHeader(file, header -> header.set(to, header.remove(from)));
  }

  /** Gives a tensor another shape of the same size. */
  static void reshape(Path file, String name, List<Long> shape) throws IOException {
    editHeader(
        file, header -> ((ObjectNode) header.get(name)).set("shape", MAPPER.valueToTree(shape)));
  }
}
