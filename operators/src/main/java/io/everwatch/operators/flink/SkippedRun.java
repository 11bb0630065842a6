// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.schemas.avro.SourceRange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * Consecutive chunks that had frames and were not understood: what one GAP event will tell of them.
 *
 * @param reason the same for all of them
 * @param clockReset the grid was re-anchored at the first one
 */
record SkippedRun(
    String reason,
    long firstChunk,
    long lastChunk,
    long startMicros,
    long endMicros,
    long firstSequence,
    long lastSequence,
    Counts counts,
    List<SourceRange> sources,
    boolean clockReset) {
  SkippedRun {
    sources = List.copyOf(sources);
  }

  static SkippedRun of(Chunk<SourcedFrame> chunk, String reason) {
    return new SkippedRun(
        reason,
        chunk.index(),
        chunk.index(),
        chunk.startMicros(),
        chunk.endMicros(),
        chunk.firstSequence(),
        chunk.lastSequence(),
        chunk.counts(),
        sources(chunk.frames()),
        chunk.clockReset());
  }

  SkippedRun because(String other) {
    return new SkippedRun(
        other,
        firstChunk,
        lastChunk,
        startMicros,
        endMicros,
        firstSequence,
        lastSequence,
        counts,
        sources,
        clockReset);
  }

  long chunks() {
    return lastChunk - firstChunk + 1;
  }

  /** The run with the chunk after it, which was skipped for the same reason. */
  SkippedRun and(SkippedRun next) {
    List<SourceRange> both = new ArrayList<>(sources);
    both.addAll(next.sources);
    return new SkippedRun(
        reason,
        firstChunk,
        next.lastChunk,
        startMicros,
        next.endMicros,
        Math.min(firstSequence, next.firstSequence),
        Math.max(lastSequence, next.lastSequence),
        sum(counts, next.counts),
        merged(both),
        clockReset);
  }

  private static Counts sum(Counts a, Counts b) {
    return new Counts(
        Math.addExact(a.received(), b.received()),
        Math.addExact(a.used(), b.used()),
        Math.addExact(a.surplus(), b.surplus()),
        Math.addExact(a.duplicate(), b.duplicate()),
        Math.addExact(a.missing(), b.missing()));
  }

  /** Which records the frames were, as one range of offsets per partition. */
  static List<SourceRange> sources(List<Frame<SourcedFrame>> frames) {
    List<SourceRange> each = new ArrayList<>();
    for (Frame<SourcedFrame> frame : frames) {
      Origin origin = frame.payload().origin();
      each.add(
          new SourceRange(origin.topic(), origin.partition(), origin.offset(), origin.offset()));
    }
    return merged(each);
  }

  private static List<SourceRange> merged(List<SourceRange> each) {
    record Place(String topic, int partition) {}

    Map<Place, SourceRange> ranges = new LinkedHashMap<>();
    for (SourceRange one : each) {
      ranges.merge(
          new Place(one.getTopic(), one.getPartition()),
          one,
          (a, b) ->
              new SourceRange(
                  a.getTopic(),
                  a.getPartition(),
                  Math.min(a.getFirstOffset(), b.getFirstOffset()),
                  Math.max(a.getLastOffset(), b.getLastOffset())));
    }
    return new ArrayList<>(ranges.values());
  }

  static void write(SkippedRun run, DataOutputView out) throws IOException {
    Fields.writeString(run.reason, out);
    out.writeLong(run.firstChunk);
    out.writeLong(run.lastChunk);
    out.writeLong(run.startMicros);
    out.writeLong(run.endMicros);
    out.writeLong(run.firstSequence);
    out.writeLong(run.lastSequence);
    TurnsSerializer.writeCounts(run.counts, out);
    Fields.writeList(
        run.sources,
        (source, to) -> {
          Fields.writeString(source.getTopic(), to);
          to.writeInt(source.getPartition());
          to.writeLong(source.getFirstOffset());
          to.writeLong(source.getLastOffset());
        },
        out);
    out.writeBoolean(run.clockReset);
  }

  static SkippedRun read(DataInputView in) throws IOException {
    return new SkippedRun(
        Fields.readString(in),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        TurnsSerializer.readCounts(in),
        Fields.readList(
            from ->
                new SourceRange(
                    Fields.readString(from), from.readInt(), from.readLong(), from.readLong()),
            in),
        in.readBoolean());
  }
}
