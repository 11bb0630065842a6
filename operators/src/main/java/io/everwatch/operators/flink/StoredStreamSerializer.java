// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.AssemblerState;
import io.everwatch.operators.chunk.AssemblerState.Placed;
import io.everwatch.operators.chunk.AssemblerState.Progress;
import io.everwatch.operators.chunk.AssemblerState.Range;
import io.everwatch.operators.chunk.AssemblerState.Rate;
import io.everwatch.operators.chunk.AssemblerState.Sequences;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.schemas.avro.Mark;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** The stored form of {@link StoredStream}. */
final class StoredStreamSerializer extends VersionedSerializer<StoredStream> {
  private static final long serialVersionUID = 1;

  /** The layout that was the first to have orders. */
  private static final int WITH_ORDERS = 2;

  /**
   * The layout that was the first to say when the stream began and what it was heard of last, to
   * refer to its pictures, and to have changes of the frame rate and skipped chunks.
   */
  private static final int WITH_LIFE = 3;

  /** The layout that was the first to have chunks that are understood together. */
  private static final int WITH_MERGE = 4;

  /** The layout that was the first to count the rows that came into the memory. */
  private static final int WITH_COMPUTED = 5;

  @Override
  int version() {
    return 5;
  }

  @Override
  String what() {
    return "state of a stream";
  }

  @Override
  void write(StoredStream stream, DataOutputView out) throws IOException {
    writeAssembler(stream.assembler(), out);
    out.writeLong(stream.nextLogged());
    out.writeLong(stream.nextChunk());
    out.writeLong(stream.endMicros());
    out.writeBoolean(stream.dropVision());
    Fields.writeList(
        List.copyOf(stream.marks()), (mark, to) -> Fields.writeString(mark.name(), to), out);
    Fields.writeString(stream.model(), out);
    Fields.writeString(stream.numerics(), out);
    StreamOrders.write(stream.orders(), out);
    out.writeLong(stream.seenMillis());
    out.writeLong(stream.staleChunk());
    Fields.writeList(stream.lastFrame().stream().toList(), Origin::write, out);
    out.writeLong(stream.nextPicture());
    Fields.writeList(stream.skipped(), SkippedRun::write, out);
    Fields.writeList(stream.merge(), MergedChunks::write, out);
    out.writeLong(stream.aloneThrough());
    ComputedRows.write(stream.computed(), out);
  }

  @Override
  StoredStream read(int version, DataInputView in) throws IOException {
    return new StoredStream(
        readAssembler(version, in),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readBoolean(),
        readMarks(in),
        Fields.readString(in),
        Fields.readString(in),
        version < WITH_ORDERS ? StreamOrders.NONE : StreamOrders.read(in, version < WITH_LIFE),
        version < WITH_LIFE ? 0 : in.readLong(),
        version < WITH_LIFE ? StoredStream.NEVER_STALE : in.readLong(),
        version < WITH_LIFE
            ? Optional.empty()
            : Fields.readList(Origin::read, in).stream().findFirst(),
        version < WITH_LIFE ? 0 : in.readLong(),
        version < WITH_LIFE ? List.of() : Fields.readList(SkippedRun::read, in),
        version < WITH_MERGE ? List.of() : Fields.readList(MergedChunks::read, in),
        version < WITH_MERGE ? -1 : in.readLong(),
        version < WITH_COMPUTED ? ComputedRows.UNKNOWN : ComputedRows.read(in));
  }

  private static Set<Mark> readMarks(DataInputView in) throws IOException {
    Set<Mark> marks = EnumSet.noneOf(Mark.class);
    for (String name : Fields.readList(Fields::readString, in)) {
      marks.add(Mark.valueOf(name));
    }
    return marks;
  }

  private static void writeAssembler(AssemblerState<SourcedFrame> state, DataOutputView out)
      throws IOException {
    out.writeLong(state.chunkMicros());
    Fields.writeList(
        state.rates(),
        (rate, to) -> {
          to.writeLong(rate.fromChunk());
          to.writeInt(rate.framesPerChunk());
        },
        out);
    out.writeBoolean(state.started());
    writeProgress(state.progress(), out);
    writeSequences(state.sequences(), out);
    Fields.writeList(
        state.placed(),
        (placed, to) -> {
          to.writeLong(placed.chunk());
          to.writeInt(placed.point());
          TurnsSerializer.writeFrame(placed.frame(), to);
        },
        out);
    Fields.writeList(state.waiting(), TurnsSerializer::writeFrame, out);
    Fields.writeList(state.held(), TurnsSerializer::writeFrame, out);
  }

  private static AssemblerState<SourcedFrame> readAssembler(int version, DataInputView in)
      throws IOException {
    boolean whole = version < WITH_LIFE; // with pictures, and one frame rate for ever
    Fields.Reader<Frame<SourcedFrame>> frame = from -> TurnsSerializer.readFrame(from, whole);
    return new AssemblerState<>(
        in.readLong(),
        whole
            ? List.of(new Rate(0, in.readInt()))
            : Fields.readList(from -> new Rate(from.readLong(), from.readInt()), in),
        in.readBoolean(),
        readProgress(version, in),
        readSequences(in),
        Fields.readList(
            from -> new Placed<>(from.readLong(), from.readInt(), frame.read(from)), in),
        Fields.readList(frame, in),
        Fields.readList(frame, in));
  }

  private static void writeProgress(Progress progress, DataOutputView out) throws IOException {
    out.writeLong(progress.anchorMicros());
    out.writeLong(progress.anchorChunk());
    out.writeLong(progress.nextChunk());
    out.writeLong(progress.nextEvent());
    out.writeLong(progress.completeMask());
    out.writeLong(progress.clockMicros());
    out.writeLong(progress.beganMicros());
    out.writeLong(progress.clockArrivalMicros());
    out.writeInt(progress.surplus());
    out.writeInt(progress.duplicate());
    out.writeBoolean(progress.clockReset());
    out.writeBoolean(progress.dropVision());
  }

  private static Progress readProgress(int version, DataInputView in) throws IOException {
    long anchorMicros = in.readLong();
    long anchorChunk = in.readLong();
    long nextChunk = in.readLong();
    long nextEvent = in.readLong();
    long completeMask = in.readLong();
    long clockMicros = in.readLong();
    return new Progress(
        version < WITH_LIFE ? anchorMicros : in.readLong(),
        anchorMicros,
        anchorChunk,
        nextChunk,
        nextEvent,
        completeMask,
        clockMicros,
        version < WITH_LIFE ? Frame.ARRIVAL_UNKNOWN : in.readLong(),
        in.readInt(),
        in.readInt(),
        in.readBoolean(),
        in.readBoolean());
  }

  private static void writeSequences(Sequences sequences, DataOutputView out) throws IOException {
    out.writeLong(sequences.settled());
    out.writeLong(sequences.settledMicros());
    out.writeLong(sequences.horizon());
    Fields.writeList(
        sequences.abandoned(),
        (range, to) -> {
          to.writeLong(range.first());
          to.writeLong(range.last());
        },
        out);
  }

  private static Sequences readSequences(DataInputView in) throws IOException {
    return new Sequences(
        in.readLong(),
        in.readLong(),
        in.readLong(),
        Fields.readList(from -> new Range(from.readLong(), from.readLong()), in));
  }

  @Override
  public StoredStream createInstance() {
    return new StoredStream(
        new AssemblerState<>(
            0,
            List.of(),
            false,
            new Progress(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, false),
            new Sequences(0, 0, 0, List.of()),
            List.of(),
            List.of(),
            List.of()),
        0,
        0,
        0,
        false,
        Set.of(),
        "",
        "",
        StreamOrders.NONE,
        0,
        StoredStream.NEVER_STALE,
        Optional.empty(),
        0,
        List.of(),
        List.of(),
        -1,
        ComputedRows.NONE);
  }

  @Override
  public SnapshotOfStreams snapshotConfiguration() {
    return new SnapshotOfStreams();
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfStreams extends Snapshot<StoredStream> {
    public SnapshotOfStreams() {
      super(StoredStreamSerializer::new);
    }
  }
}
