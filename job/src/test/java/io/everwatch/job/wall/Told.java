// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** What a wall is told in tests, at a time of their own. */
final class Told {
  static final long START_MILLIS = 1_800_000_000_000L;
  static final WallLimits LIMITS =
      new WallLimits(Duration.ofHours(1), 1_000, 10_000_000, 50, 100_000, 100_000);

  final AtomicLong clockMillis = new AtomicLong(START_MILLIS);
  final Wall wall;
  private long startedMillis = EventHeaders.ABSENT;

  static {
    WireFormat.trustGeneratedClasses();
  }

  Told(WallLimits limits) {
    wall = new Wall(limits, clockMillis::get);
  }

  static WallOptions options(WallLimits limits, int maxClients) {
    return new WallOptions(
        "localhost:1",
        Map.of(),
        TopicNames.defaults(),
        limits,
        /* frames= */ true,
        Optional.empty(),
        /* demo= */ false,
        maxClients,
        "1.2.3");
  }

  void startedAt(long millis) {
    startedMillis = millis;
  }

  void passes(long millis) {
    clockMillis.addAndGet(millis);
  }

  /** A comment, or a silence when it is empty, on the second that is over now. */
  void says(String stream, long chunk, String text) {
    tell(event(stream, chunk, text.isEmpty() ? TextKind.SILENCE : TextKind.COMMENT).setText(text));
  }

  void tell(TextEvent.Builder event) {
    wall.said(received(event));
  }

  ReceivedText received(TextEvent.Builder event) {
    long now = clockMillis.get();
    return new ReceivedText(
        event.build(),
        new EventHeaders(now, now - 250, now, now, now, now, startedMillis),
        0,
        0,
        now,
        false);
  }

  TextEvent.Builder event(String stream, long chunk, TextKind kind) {
    long start = 1000 * (START_MILLIS + 1000 * chunk);
    return WireFormat.newTextEvent()
        .setStreamId(stream)
        .setBeganMicros(1000 * START_MILLIS)
        .setChunk(chunk)
        .setKind(kind)
        .setStartMicros(start)
        .setEndMicros(start + 1_000_000)
        .setRound(chunk);
  }

  void stops(String stream, long chunk) {
    tell(
        event(stream, chunk, TextKind.GAP)
            .setSkipped(new SkippedRange(chunk, chunk, "stopped by command c-1")));
  }

  void sees(String stream, long sequence, FrameEncoding encoding, byte[] bytes) {
    wall.frame(frame(stream, sequence, encoding, bytes).build());
  }

  static FrameEvent.Builder frame(
      String stream, long sequence, FrameEncoding encoding, byte[] bytes) {
    return WireFormat.newFrameEvent()
        .setStreamId(stream)
        .setSequence(sequence)
        .setCaptureMicros(1000 * START_MILLIS + 500_000 * sequence)
        .setEncoding(encoding)
        .setBytes(ByteBuffer.wrap(bytes));
  }

  TextEvent newest(String stream) {
    return Objects.requireNonNull(view(stream).newest()).event();
  }

  StreamView view(String stream) {
    wall.takeChanges();
    return wall.view(stream).orElseThrow();
  }
}
