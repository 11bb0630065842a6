// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.broker.TopicNames;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * What a savepoint is compared with: the records that the job read, from the beginning, in the
 * order in which they were written, and the text that came of them without an interruption.
 *
 * @param text values of the text topic, by stream, in order
 * @param saidBefore events of each stream that lay before the savepoint
 */
record RecordedRun(
    List<Input> inputs, Map<String, List<byte[]>> text, Map<String, Integer> saidBefore) {
  private static final String RECORDS = "records.gz";
  private static final String TEXT = "text.gz";

  /** A record of a topic that the job reads. */
  record Input(String topic, int partition, String key, byte[] value) {}

  void write(Path dir) throws IOException {
    try (DataOutputStream out = output(dir.resolve(RECORDS))) {
      out.writeInt(inputs.size());
      for (Input input : inputs) {
        out.writeUTF(input.topic);
        out.writeInt(input.partition);
        out.writeUTF(input.key);
        write(out, input.value);
      }
    }
    try (DataOutputStream out = output(dir.resolve(TEXT))) {
      out.writeInt(text.size());
      for (Map.Entry<String, List<byte[]>> stream : text.entrySet()) {
        out.writeUTF(stream.getKey());
        out.writeInt(saidBefore.getOrDefault(stream.getKey(), 0));
        out.writeInt(stream.getValue().size());
        for (byte[] value : stream.getValue()) {
          write(out, value);
        }
      }
    }
  }

  static RecordedRun read(Path dir) throws IOException {
    List<Input> inputs = new ArrayList<>();
    try (DataInputStream in = input(dir.resolve(RECORDS))) {
      for (int i = in.readInt(); i > 0; i--) {
        inputs.add(new Input(in.readUTF(), in.readInt(), in.readUTF(), read(in)));
      }
    }
    Map<String, List<byte[]>> text = new LinkedHashMap<>();
    Map<String, Integer> saidBefore = new LinkedHashMap<>();
    try (DataInputStream in = input(dir.resolve(TEXT))) {
      for (int i = in.readInt(); i > 0; i--) {
        String stream = in.readUTF();
        saidBefore.put(stream, in.readInt());
        List<byte[]> values = new ArrayList<>();
        for (int n = in.readInt(); n > 0; n--) {
          values.add(read(in));
        }
        text.put(stream, values);
      }
    }
    return new RecordedRun(inputs, text, saidBefore);
  }

  /**
   * Brings the topics of another house to where they were: the records, at the same offsets, and
   * the text that had been said.
   */
  void sendTo(House house) throws Exception {
    for (Input input : inputs) {
      house.sendTo(
          input.topic, input.partition, input.key.getBytes(StandardCharsets.UTF_8), input.value);
    }
    for (Map.Entry<String, List<byte[]>> stream : text.entrySet()) {
      for (byte[] value : stream.getValue().subList(0, before(stream.getKey()))) {
        house.tamper(TopicNames.TEXT, stream.getKey(), value);
      }
    }
  }

  /** What a stream had to say in all. */
  List<byte[]> text(String stream) {
    return text.getOrDefault(stream, List.of());
  }

  /** How many events of it lay before the savepoint. */
  int before(String stream) {
    return saidBefore.getOrDefault(stream, 0);
  }

  private static DataOutputStream output(Path file) throws IOException {
    return new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(file)));
  }

  private static DataInputStream input(Path file) throws IOException {
    return new DataInputStream(new GZIPInputStream(Files.newInputStream(file)));
  }

  private static void write(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static byte[] read(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return bytes;
  }
}
