// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.operators.chunk.Assembled;
import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.ChunkAssembler;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What the job writes of one stream, made with the job's own chunk assembly: the frames topic, the
 * events and the dead letters of it. Payload of a frame: its offset.
 */
final class RecordedStream {
  static final String TOPIC = "frames";
  static final long START = 1_767_225_600_000_000L;
  static final ChunkSettings SETTINGS =
      new ChunkSettings(1_000_000, 2, 2_000_000, 16_000_000, 10_000_000);

  static {
    WireFormat.trustGeneratedClasses();
  }

  final List<TextEvent> events = new ArrayList<>();
  final List<DeadLetter> letters = new ArrayList<>();
  final List<byte[]> frames = new ArrayList<>();
  private final String streamId;
  private final ChunkSettings settings;
  private ChunkAssembler<Long> assembler;
  private long nextChunk;
  private long endMicros;

  /** Makes the pictures of some frames unusable. */
  private final Random faults;

  private final double unusable;

  RecordedStream(String streamId, ChunkSettings settings, Random faults, double unusable) {
    this.streamId = streamId;
    this.settings = settings;
    this.faults = faults;
    this.unusable = unusable;
    assembler = ChunkAssembler.start(settings);
  }

  /** Two frames a second without any fault. */
  static RecordedStream regular(String streamId, int seconds) {
    RecordedStream stream = new RecordedStream(streamId, SETTINGS, new Random(0), 0);
    for (int i = 0; i < 2 * seconds; i++) {
      stream.frame(i, START + i * 500_000L);
    }
    return stream;
  }

  /** A second, a gap of three, and two seconds more. */
  static RecordedStream gappy() {
    RecordedStream stream = regular("north", 1);
    for (int i = 8; i < 12; i++) {
      stream.frame(i - 6, START + i * 500_000L);
    }
    return stream;
  }

  /** Spoils an event that was written already. */
  void change(int index, Consumer<TextEvent.Builder> change) {
    TextEvent.Builder builder = TextEvent.newBuilder(events.get(index));
    change.accept(builder);
    events.set(index, builder.build());
  }

  void frame(long sequence, long captureMicros) {
    long offset = frames.size();
    frames.add(
        WireFormat.encode(
            WireFormat.newFrameEvent()
                .setStreamId(streamId)
                .setSequence(sequence)
                .setCaptureMicros(captureMicros)
                .setBytes(ByteBuffer.wrap(new byte[] {1}))
                .build()));
    assembler.offer(new Frame<>(sequence, captureMicros, -1, offset)).forEach(this::add);
  }

  void end() {
    long offset = frames.size();
    FrameEvent end =
        WireFormat.newFrameEvent()
            .setStreamId(streamId)
            .setSequence(0)
            .setCaptureMicros(0)
            .setEndOfStream(true)
            .build();
    frames.add(WireFormat.encode(end));
    assembler.finish().forEach(this::add);
    events.add(
        event(TextKind.ENDED, nextChunk, endMicros, endMicros, assembler.unreported(), 0)
            .setSubject("ended")
            .setSources(List.of(new SourceRange(TOPIC, 0, offset, offset)))
            .build());
    beginAnew();
  }

  /** Nothing has come for long; so it has ended without a record that says so. */
  void forget() {
    assembler.finish().forEach(this::add);
    events.add(
        event(TextKind.ENDED, nextChunk, endMicros, endMicros, assembler.unreported(), 0)
            .setSubject("ended")
            .setText("no record for 24 h")
            .setSources(
                frames.isEmpty()
                    ? List.of()
                    : List.of(new SourceRange(TOPIC, 0, frames.size() - 1L, frames.size() - 1L)))
            .build());
    beginAnew();
  }

  /** A command to sample so many frames per chunk was answered. */
  void frameRate(int framesPerChunk, String answer) {
    assembler.changeRate(framesPerChunk);
    events.add(
        event(TextKind.NOTICE, nextChunk, endMicros, endMicros, new Counts(0, 0, 0, 0, 0), 0)
            .setSubject("command-" + events.size())
            .setText(answer)
            .build());
  }

  /** Nothing has come for a while. */
  void stale() {
    long clock = assembler.clockMicros();
    events.add(
        event(TextKind.STALE, assembler.nextChunk(), clock, clock, new Counts(0, 0, 0, 0, 0), 0)
            .setSubject("stale")
            .setText("no record for 30 s")
            .build());
  }

  private void beginAnew() {
    assembler = ChunkAssembler.start(settings);
    nextChunk = 0;
    endMicros = 0;
  }

  private void add(Assembled<Long> assembled) {
    assembled
        .<Runnable>match(
            chunk -> () -> answered(chunk),
            gap -> () -> gap(gap),
            dead -> () -> letter(dead.frame().payload(), dead.reason().name(), -1))
        .run();
  }

  private void answered(Chunk<Long> chunk) {
    Set<Long> offsets = new LinkedHashSet<>();
    chunk.frames().forEach(frame -> offsets.add(frame.payload()));
    int bad = 0;
    for (long offset : offsets) {
      if (faults.nextDouble() < unusable) {
        bad++;
        letter(offset, "TRUNCATED", chunk.index());
      }
    }
    TextKind kind = bad == offsets.size() ? TextKind.ERROR : TextKind.COMMENT;
    nextChunk = chunk.index() + 1;
    endMicros = chunk.endMicros();
    events.add(
        event(kind, chunk.index(), chunk.startMicros(), endMicros, chunk.counts(), bad)
            .setText("chunk " + chunk.index())
            .setFirstSequence(chunk.firstSequence())
            .setLastSequence(chunk.lastSequence())
            .setClockReset(chunk.clockReset())
            .setSources(
                List.of(
                    new SourceRange(
                        TOPIC,
                        0,
                        offsets.stream().mapToLong(x -> x).min().orElseThrow(),
                        offsets.stream().mapToLong(x -> x).max().orElseThrow())))
            .build());
  }

  private void gap(Gap<Long> gap) {
    nextChunk = gap.last() + 1;
    endMicros = gap.endMicros();
    events.add(
        event(TextKind.GAP, gap.first(), gap.startMicros(), endMicros, gap.counts(), 0)
            .setSkipped(new SkippedRange(gap.first(), gap.last(), "no frames"))
            .build());
  }

  private TextEvent.Builder event(
      TextKind kind, long chunk, long start, long end, Counts counts, int bad) {
    return WireFormat.newTextEvent()
        .setStreamId(streamId)
        .setBeganMicros(assembler.beganMicros())
        .setKind(kind)
        .setChunk(chunk)
        .setStartMicros(start)
        .setEndMicros(end)
        .setFrames(
            FrameCounts.newBuilder()
                .setReceived(counts.received())
                .setUsed(counts.used() - bad)
                .setSurplus(counts.surplus())
                .setDuplicate(counts.duplicate())
                .setMissing(counts.missing() + bad)
                .build());
  }

  private void letter(long offset, String reason, long chunk) {
    letters.add(
        WireFormat.newDeadLetter()
            .setTopic(TOPIC)
            .setPartition(0)
            .setOffset(offset)
            .setReason(reason)
            .setStreamId(streamId)
            .setChunk(chunk)
            .build());
  }
}
