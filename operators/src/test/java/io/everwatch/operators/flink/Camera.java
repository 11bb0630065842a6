// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Makes the records of one stream: 2 frames per second, pictures of 28x28 pixels. */
final class Camera {
  static final long START_MICROS = 1_700_000_000_000_000L;
  static final int SIDE = 28;

  final String id;
  private final int partition;
  private long offset;
  private long commands;
  private long sequence;
  long micros = START_MICROS;

  /** By how much its clock was set. */
  private long setMicros;

  Camera(String id, int partition) {
    this.id = id;
    this.partition = partition;
  }

  Camera(String id) {
    this(id, 0);
  }

  /** The next frame, half a second after the one before. */
  FrameRecord frame() {
    FrameRecord record = frame(sequence, micros);
    sequence++;
    micros += 500_000;
    return record;
  }

  FrameRecord frame(long number, long captureMicros) {
    return record(event(number, captureMicros).setBytes(ByteBuffer.wrap(picture(number))).build());
  }

  FrameRecord bad(byte[] bytes, FrameEncoding encoding) {
    FrameRecord record =
        record(
            event(sequence, micros).setEncoding(encoding).setBytes(ByteBuffer.wrap(bytes)).build());
    sequence++;
    micros += 500_000;
    return record;
  }

  FrameRecord end() {
    return record(event(sequence++, micros).setEndOfStream(true).build());
  }

  /** The frame before once more, as a producer sends it that missed the acknowledgement. */
  FrameRecord repeat() {
    return frame(Math.max(0, sequence - 1), micros - 500_000);
  }

  /** The next two frames, the second before the first. */
  List<FrameRecord> swapped() {
    FrameRecord second = frame(sequence + 1, micros + 500_000);
    FrameRecord first = frame(sequence, micros);
    sequence += 2;
    micros += 1_000_000;
    return List.of(second, first);
  }

  /** No frames for some time. */
  void rest(long seconds) {
    micros += seconds * 1_000_000;
  }

  /** Its clock is set, and nothing rests. */
  void setClock(long secondsAhead) {
    micros += secondsAhead * 1_000_000;
    setMicros += secondsAhead * 1_000_000;
  }

  /** Frames that never arrive. */
  void lose(int frames) {
    sequence += frames;
    micros += frames * 500_000L;
  }

  /** A command to this stream. */
  FrameRecord command(String id, CommandKind kind, Map<String, String> settings, String text) {
    return rawCommand(
        WireFormat.encode(
            WireFormat.newCommandEvent()
                .setCommandId(id)
                .setStreamId(this.id)
                .setKind(kind)
                .setSettings(settings)
                .setText(text)
                .build()));
  }

  FrameRecord command(String id, CommandKind kind) {
    return command(id, kind, Map.of(), "");
  }

  FrameRecord rawCommand(byte @Nullable [] value) {
    return new CommandRecordReader(SpreadRegistry.NONE)
        .read(origin("commands", 0, commands++), value, arrival());
  }

  FrameRecord raw(byte[] value) {
    return new FrameRecordReader().read(origin("frames", partition, offset++), value, arrival());
  }

  private Origin origin(String topic, int partition, long offset) {
    return new Origin(topic, partition, offset, id.getBytes(StandardCharsets.UTF_8));
  }

  private FrameRecord record(FrameEvent event) {
    return raw(WireFormat.encode(event));
  }

  private long arrival() {
    return (micros - setMicros) / 1000 + 40;
  }

  private FrameEvent.Builder event(long number, long captureMicros) {
    return WireFormat.newFrameEvent()
        .setStreamId(id)
        .setSequence(number)
        .setCaptureMicros(captureMicros)
        .setEncoding(FrameEncoding.RGB24)
        .setWidth(SIDE)
        .setHeight(SIDE);
  }

  /** The next frame, of so many pixels a side, uncompressed. */
  FrameRecord large(int side) {
    byte[] pixels = new byte[side * side * 3];
    new Random(id.hashCode() * 31L + sequence).nextBytes(pixels);
    FrameRecord record =
        record(
            event(sequence, micros)
                .setWidth(side)
                .setHeight(side)
                .setBytes(ByteBuffer.wrap(pixels))
                .build());
    sequence++;
    micros += 500_000;
    return record;
  }

  private byte[] picture(long number) {
    byte[] pixels = new byte[SIDE * SIDE * 3];
    new Random(id.hashCode() * 31L + number).nextBytes(pixels);
    return pixels;
  }
}
