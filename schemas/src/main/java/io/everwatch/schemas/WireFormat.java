// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import io.everwatch.schemas.avro.CommandEvent;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * The bytes of the records that cross a topic: Avro single-object encoding (marker, CRC-64 of the
 * writer's schema, binary body). Reads what every released version wrote. Thread-safe.
 */
public final class WireFormat {
  /** Longest record that is read unless the caller says otherwise: the frames topic's own limit. */
  public static final int MAX_RECORD_BYTES = 8 << 20;

  static {
    TrustedClasses.install();
  }

  private static final SingleObjectReader<FrameEvent> FRAMES =
      new SingleObjectReader<>(FrameEvent.class, FrameEvent.getClassSchema(), "frame_event");
  private static final SingleObjectReader<TextEvent> TEXTS =
      new SingleObjectReader<>(TextEvent.class, TextEvent.getClassSchema(), "text_event");
  private static final SingleObjectReader<DeadLetter> DEAD_LETTERS =
      new SingleObjectReader<>(DeadLetter.class, DeadLetter.getClassSchema(), "dead_letter");
  private static final SingleObjectReader<CommandEvent> COMMANDS =
      new SingleObjectReader<>(CommandEvent.class, CommandEvent.getClassSchema(), "command_event");

  private WireFormat() {}

  /**
   * Makes the generated classes usable: Avro refuses to fill in the defaults of their builders
   * before. Loading this class does it; call this where events are built and nothing else of this
   * class has run yet.
   */
  public static void trustGeneratedClasses() {
    // the static initialiser has run by now
  }

  /**
   * Begins a frame event. Not {@code FrameEvent.newBuilder()}: to fill in defaults Avro loads
   * generated classes, which it refuses until this class has told it to trust them.
   */
  public static FrameEvent.Builder newFrameEvent() {
    return FrameEvent.newBuilder();
  }

  /** Begins a text event; see {@link #newFrameEvent}. */
  public static TextEvent.Builder newTextEvent() {
    return TextEvent.newBuilder();
  }

  /** Begins a dead letter; see {@link #newFrameEvent}. */
  public static DeadLetter.Builder newDeadLetter() {
    return DeadLetter.newBuilder();
  }

  /** Begins a command; see {@link #newFrameEvent}. */
  public static CommandEvent.Builder newCommandEvent() {
    return CommandEvent.newBuilder();
  }

  public static byte[] encode(FrameEvent event) {
    return write(event, event::toByteBuffer);
  }

  public static byte[] encode(TextEvent event) {
    return write(event, event::toByteBuffer);
  }

  public static byte[] encode(DeadLetter letter) {
    return write(letter, letter::toByteBuffer);
  }

  public static byte[] encode(CommandEvent command) {
    return write(command, command::toByteBuffer);
  }

  /**
   * Reads a value of the frames topic.
   *
   * @throws WireFormatException when the bytes are no frame event, or more than {@link
   *     #MAX_RECORD_BYTES}
   */
  public static FrameEvent decodeFrame(byte[] bytes) throws WireFormatException {
    return decodeFrame(bytes, MAX_RECORD_BYTES);
  }

  /**
   * Reads a value of the frames topic.
   *
   * @param maxBytes longest record to accept
   * @throws WireFormatException when the bytes are no frame event, or more than {@code maxBytes}
   */
  public static FrameEvent decodeFrame(byte[] bytes, int maxBytes) throws WireFormatException {
    return FRAMES.read(bytes, maxBytes);
  }

  /**
   * Reads a value of the text topic.
   *
   * @throws WireFormatException when the bytes are no text event, or more than {@link
   *     #MAX_RECORD_BYTES}
   */
  public static TextEvent decodeText(byte[] bytes) throws WireFormatException {
    return TEXTS.read(bytes, MAX_RECORD_BYTES);
  }

  /**
   * Reads a value of the dead-letter topic.
   *
   * @throws WireFormatException when the bytes are no dead letter, or more than {@link
   *     #MAX_RECORD_BYTES}
   */
  public static DeadLetter decodeDeadLetter(byte[] bytes) throws WireFormatException {
    return DEAD_LETTERS.read(bytes, MAX_RECORD_BYTES);
  }

  /**
   * Reads a value of the commands topic.
   *
   * @param maxBytes longest record to accept
   * @throws WireFormatException when the bytes are no command, or more than {@code maxBytes}
   */
  public static CommandEvent decodeCommand(byte[] bytes, int maxBytes) throws WireFormatException {
    return COMMANDS.read(bytes, maxBytes);
  }

  private interface Writing {
    ByteBuffer bytes() throws IOException;
  }

  private static byte[] write(SpecificRecordBase event, Writing writing) {
    try {
      ByteBuffer buffer = writing.bytes();
      byte[] bytes = new byte[buffer.remaining()];
      buffer.get(bytes);
      return bytes;
    } catch (IOException impossible) { // it is written to memory
      throw new UncheckedIOException(event.getSchema().getName() + " not encoded", impossible);
    }
  }
}
