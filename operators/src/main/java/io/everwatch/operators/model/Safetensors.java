// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One safetensors file, mapped and not copied (Qwen2.5-VL §2). The mapping ends when the last
 * tensor is garbage; the file itself is closed at once. Thread-safe.
 */
public final class Safetensors {
  /** Limit of the format itself; a header beyond it is damage, not a large model. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private final Path file;
  private final Map<String, StoredTensor> tensors;
  private final Map<String, String> metadata;

  private Safetensors(Path file, Map<String, StoredTensor> tensors, Map<String, String> metadata) {
    this.file = file;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.metadata = Collections.unmodifiableMap(metadata);
  }

  /**
   * Reads the header and maps every tensor.
   *
   * @throws BadModelException if the file is missing, truncated or malformed, naming every problem
   */
  public static Safetensors open(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      long headerBytes = headerBytes(channel, size, file);
      byte[] json = readFully(channel, 8, (int) headerBytes);
      long dataStart = 8 + headerBytes;
      SafetensorsHeader header = SafetensorsHeader.parse(json, size - dataStart, file.toString());
      Map<String, StoredTensor> tensors = new LinkedHashMap<>();
      for (SafetensorsHeader.Entry entry : header.entries().values()) {
        tensors.put(entry.name(), StoredTensor.map(channel, dataStart, entry));
      }
      return new Safetensors(file, tensors, header.metadata());
    } catch (NoSuchFileException e) {
      throw new BadModelException(
          "%s does not exist; expected a file with weights. Was the download complete?"
              .formatted(file),
          e);
    } catch (IOException e) {
      throw new BadModelException(
          "%s cannot be read (%s); check the disk and the file's permissions.".formatted(file, e),
          e);
    }
  }

  public Path file() {
    return file;
  }

  /** What the writer says of the file, name by name; possibly nothing. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** All tensors by their names in the file, in the order of its header. */
  public Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /**
   * A tensor by its name in the file.
   *
   * @throws BadModelException if there is no such tensor
   */
  public StoredTensor tensor(String name) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new BadModelException(
          "%s has no tensor %s; it has %s. Is it the right file?"
              .formatted(file, name, tensors.keySet()));
    }
    return tensor;
  }

  private static long headerBytes(FileChannel channel, long size, Path file) throws IOException {
    if (size < 8) {
      throw new BadModelException(
          "%s has %d bytes; expected at least the 8 of its header length. The file was cut; download it again."
              .formatted(file, size));
    }
    long headerBytes =
        ByteBuffer.wrap(readFully(channel, 0, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, size - 8)) {
      throw new BadModelException(
          "%s says that its header has %s bytes; expected 2 to %d, and the file has %d bytes behind it. The file is damaged, was cut, or is no safetensors file; download it again."
              .formatted(file, Long.toUnsignedString(headerBytes), MAX_HEADER_BYTES, size - 8));
    }
    return headerBytes;
  }

  private static byte[] readFully(FileChannel channel, long at, int count) throws IOException {
    byte[] bytes = new byte[count];
    ByteBuffer rest = ByteBuffer.wrap(bytes);
    while (rest.hasRemaining()) {
      if (channel.read(rest, at + rest.position()) < 0) {
        throw new EOFException("end of file at byte " + (at + rest.position()));
      }
    }
    return bytes;
  }
}
