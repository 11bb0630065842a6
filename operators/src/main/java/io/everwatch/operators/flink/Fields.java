// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/** The parts that stored values are made of: length before content, -1 for absent. */
final class Fields {
  private static final int ABSENT = -1;

  private Fields() {}

  interface Writer<T> {
    void write(T value, DataOutputView out) throws IOException;
  }

  interface Reader<T> {
    T read(DataInputView in) throws IOException;
  }

  static void writeBytes(byte[] bytes, DataOutputView out) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  static byte[] readBytes(DataInputView in) throws IOException {
    byte[] bytes = new byte[readCount(in)];
    in.readFully(bytes);
    return bytes;
  }

  static void writeOptional(byte @Nullable [] bytes, DataOutputView out) throws IOException {
    if (bytes == null) {
      out.writeInt(ABSENT);
    } else {
      writeBytes(bytes, out);
    }
  }

  static byte @Nullable [] readOptional(DataInputView in) throws IOException {
    int length = in.readInt();
    if (length == ABSENT) {
      return null;
    }
    byte[] bytes = new byte[count(length)];
    in.readFully(bytes);
    return bytes;
  }

  /** Not {@code writeUTF}: that fails above 64 KiB. */
  static void writeString(String text, DataOutputView out) throws IOException {
    writeBytes(text.getBytes(StandardCharsets.UTF_8), out);
  }

  static String readString(DataInputView in) throws IOException {
    return new String(readBytes(in), StandardCharsets.UTF_8);
  }

  static <T> void writeList(List<T> values, Writer<? super T> writer, DataOutputView out)
      throws IOException {
    out.writeInt(values.size());
    for (T value : values) {
      writer.write(value, out);
    }
  }

  static <T> List<T> readList(Reader<T> reader, DataInputView in) throws IOException {
    int count = readCount(in);
    List<T> values = new ArrayList<>(Math.min(count, 1024));
    for (int i = 0; i < count; i++) {
      values.add(reader.read(in));
    }
    return values;
  }

  /** In the order of the map. */
  static void writeMap(Map<String, String> values, DataOutputView out) throws IOException {
    out.writeInt(values.size());
    for (Map.Entry<String, String> one : values.entrySet()) {
      writeString(one.getKey(), out);
      writeString(one.getValue(), out);
    }
  }

  static Map<String, String> readMap(DataInputView in) throws IOException {
    int count = readCount(in);
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      values.put(readString(in), readString(in));
    }
    return values;
  }

  private static int readCount(DataInputView in) throws IOException {
    return count(in.readInt());
  }

  private static int count(int read) throws IOException {
    if (read < 0) {
      throw new IOException("stored value is damaged: a length of " + read);
    }
    return read;
  }
}
