// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.everwatch.schemas.WireFormatException.Reason;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.TextEvent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;
import org.junit.jupiter.api.Test;

class WireFormatTest {
  @Test
  void readsBackWhatItWrote() throws Exception {
    assertThat(WireFormat.decodeFrame(WireFormat.encode(Samples.frame())))
        .isEqualTo(Samples.frame());
    assertThat(WireFormat.decodeText(WireFormat.encode(Samples.text("cam", 1, "a car"))))
        .isEqualTo(Samples.text("cam", 1, "a car"));
    assertThat(WireFormat.decodeDeadLetter(WireFormat.encode(Samples.deadLetter())))
        .isEqualTo(Samples.deadLetter());
    byte[] command = WireFormat.encode(Samples.command());
    assertThat(WireFormat.decodeCommand(command, command.length)).isEqualTo(Samples.command());
  }

  @Test
  void writesTheSameBytesForTheSameValue() {
    assertThat(WireFormat.encode(Samples.text("cam", 1, "a car")))
        .isEqualTo(WireFormat.encode(Samples.text("cam", 1, "a car")));
  }

  @Test
  void refusesAnyPrefixOfARecord() {
    byte[] whole = WireFormat.encode(Samples.frame());

    for (int length = 0; length < whole.length; length++) {
      assertThat(reasonOf(Arrays.copyOf(whole, length)))
          .as("first %d of %d bytes", length, whole.length)
          .isEqualTo(Reason.UNDECODABLE);
    }
  }

  @Test
  void refusesBytesLeftOver() {
    byte[] whole = WireFormat.encode(Samples.frame());

    assertThat(reasonOf(Arrays.copyOf(whole, whole.length + 1))).isEqualTo(Reason.UNDECODABLE);
  }

  @Test
  void namesAnUnknownSchema() throws IOException {
    Schema foreign = SchemaBuilder.record("Foreign").fields().requiredLong("x").endRecord();
    GenericData.Record record = new GenericData.Record(foreign);
    record.put("x", 1L);
    byte[] bytes =
        new BinaryMessageEncoder<GenericData.Record>(GenericData.get(), foreign)
            .encode(record)
            .array();

    assertThat(reasonOf(bytes)).isEqualTo(Reason.UNKNOWN_SCHEMA);
  }

  @Test
  void refusesATextEventWhereAFrameIsExpected() {
    assertThat(reasonOf(WireFormat.encode(Samples.text("cam", 1, "x"))))
        .isEqualTo(Reason.UNKNOWN_SCHEMA);
  }

  @Test
  void refusesWhatIsLongerThanTheLimit() {
    byte[] whole = WireFormat.encode(Samples.frame());

    assertThatThrownBy(() -> WireFormat.decodeFrame(whole, whole.length - 1))
        .isInstanceOf(WireFormatException.class)
        .hasMessageContaining(whole.length + " bytes")
        .hasMessageContaining("at most " + (whole.length - 1))
        .extracting(e -> ((WireFormatException) e).reason())
        .isEqualTo(Reason.OVERSIZED);
  }

  @Test
  void allocatesNothingForALengthThatIsNotThere() throws IOException {
    for (long claimed : new long[] {1L << 30, Integer.MAX_VALUE, Long.MAX_VALUE, -1}) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.writeBytes(Arrays.copyOf(WireFormat.encode(Samples.frame()), 10));
      BinaryEncoder body = EncoderFactory.get().directBinaryEncoder(bytes, null);
      body.writeString("cam-1");
      body.writeLong(1);
      body.writeLong(2);
      body.writeEnum(1); // JPEG
      body.writeInt(0);
      body.writeInt(0);
      body.writeLong(claimed); // length of the picture
      body.flush();

      assertThat(reasonOf(bytes.toByteArray())).isEqualTo(Reason.UNDECODABLE);
    }
  }

  @Test
  void neverThrowsAnythingElseForDamagedBytes() {
    Random random = new Random(20260101);
    byte[] frame = WireFormat.encode(Samples.frame());
    byte[] text = WireFormat.encode(Samples.text("cam", 1, "a car turns left"));
    EnumSet<Reason> seen = EnumSet.noneOf(Reason.class);
    for (int i = 0; i < 20_000; i++) {
      try {
        WireFormat.decodeFrame(damaged(frame, random));
        WireFormat.decodeText(damaged(text, random));
      } catch (WireFormatException refused) {
        seen.add(refused.reason());
      }
    }
    assertThat(seen).contains(Reason.UNDECODABLE, Reason.UNKNOWN_SCHEMA);
  }

  /** Flink's own Avro and a flag would hide it: two fresh class loaders, one without the trust. */
  @Test
  void readsOnlyBecauseTheGeneratedClassesAreTrusted() throws Exception {
    byte[] bytes = WireFormat.encode(Samples.frame());
    try (URLClassLoader trusting = freshLoader();
        URLClassLoader bare = freshLoader()) {
      Object event =
          trusting
              .loadClass(WireFormat.class.getName())
              .getMethod("decodeFrame", byte[].class)
              .invoke(null, (Object) bytes);
      assertThat(event).hasToString(Samples.frame().toString());

      Class<?> untrusted = bare.loadClass(FrameEvent.class.getName());
      Object decoder = untrusted.getMethod("getDecoder").invoke(null);
      assertThatThrownBy(
              () -> decoder.getClass().getMethod("decode", byte[].class).invoke(decoder, bytes))
          .hasRootCauseInstanceOf(SecurityException.class);
    }
  }

  /** A producer builds its first event before it has read or written anything. */
  @Test
  void beginsAnEventWhoseDefaultsCanBeFilledIn() throws Exception {
    try (URLClassLoader trusting = freshLoader();
        URLClassLoader bare = freshLoader()) {
      Object builder =
          trusting.loadClass(WireFormat.class.getName()).getMethod("newTextEvent").invoke(null);
      assertThat(buildWithDefaults(builder)).hasToString(textWithDefaults().toString());

      Object untrusted =
          bare.loadClass(TextEvent.class.getName()).getMethod("newBuilder").invoke(null);
      assertThatThrownBy(() -> buildWithDefaults(untrusted))
          .hasRootCauseInstanceOf(SecurityException.class);
    }
  }

  private static TextEvent textWithDefaults() {
    return WireFormat.newTextEvent()
        .setStreamId("a")
        .setChunk(1)
        .setStartMicros(2)
        .setEndMicros(3)
        .build();
  }

  private static Object buildWithDefaults(Object builder) throws ReflectiveOperationException {
    Class<?> type = builder.getClass();
    type.getMethod("setStreamId", String.class).invoke(builder, "a");
    type.getMethod("setChunk", long.class).invoke(builder, 1);
    type.getMethod("setStartMicros", long.class).invoke(builder, 2);
    type.getMethod("setEndMicros", long.class).invoke(builder, 3);
    return type.getMethod("build").invoke(builder);
  }

  private static URLClassLoader freshLoader() {
    URL[] urls =
        Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .map(
                path -> {
                  try {
                    return new java.io.File(path).toURI().toURL();
                  } catch (java.net.MalformedURLException e) {
                    throw new IllegalStateException(e);
                  }
                })
            .toArray(URL[]::new);
    return new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
  }

  private static byte[] damaged(byte[] bytes, Random random) {
    byte[] copy = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length + 8));
    for (int i = random.nextInt(4); i >= 0; i--) {
      // Behind the header, mostly: elsewhere the fingerprint does not match anyway.
      int at = Math.min(copy.length - 1, 10 + random.nextInt(bytes.length));
      copy[at] = (byte) random.nextInt();
    }
    return copy;
  }

  private static Reason reasonOf(byte[] bytes) {
    WireFormatException thrown =
        catchThrowableOfType(WireFormatException.class, () -> WireFormat.decodeFrame(bytes));
    assertThat(thrown).as("a refusal").isNotNull();
    return thrown.reason();
  }
}
