// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.flink.Turn.SkippedTurn;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** The turns of one stream that had not been answered at a checkpoint. */
final class TurnsSerializer extends VersionedSerializer<List<Turn>> {
  private static final long serialVersionUID = 1;
  private static final int CHUNK = 0;
  private static final int GAP = 1;
  private static final int END = 2;
  private static final int COMMAND = 3;
  private static final int SKIPPED = 4;

  /**
   * The layout that was the first to tell the lives of a stream apart, and to refer to its
   * pictures.
   */
  private static final int WITH_LIFE = 2;

  @Override
  int version() {
    return 3;
  }

  @Override
  String what() {
    return "turns of a stream";
  }

  @Override
  void write(List<Turn> turns, DataOutputView out) throws IOException {
    Fields.writeList(turns, TurnsSerializer::writeTurn, out);
  }

  @Override
  List<Turn> read(int version, DataInputView in) throws IOException {
    return Fields.readList(from -> readTurn(version, from), in);
  }

  private static void writeTurn(Turn turn, DataOutputView out) throws IOException {
    if (turn instanceof ChunkTurn chunk) {
      out.writeByte(CHUNK);
      writeChunk(chunk.chunk(), out);
    } else if (turn instanceof GapTurn gap) {
      out.writeByte(GAP);
      writeGap(gap.gap(), out);
    } else if (turn instanceof CommandTurn command) {
      out.writeByte(COMMAND);
      Command.write(command.command(), out);
      Origin.write(command.origin(), out);
      out.writeBoolean(command.isNew());
      out.writeLong(command.beganMicros());
      Fields.writeList(command.afterFrame().stream().toList(), Origin::write, out);
      out.writeLong(command.arrivalMillis());
    } else if (turn instanceof SkippedTurn skipped) {
      out.writeByte(SKIPPED);
      SkippedRun.write(skipped.run(), out);
      out.writeBoolean(skipped.dropVision());
    } else {
      EndTurn end = (EndTurn) turn;
      out.writeByte(END);
      out.writeBoolean(end.origin().isPresent());
      if (end.origin().isPresent()) {
        Origin.write(end.origin().get(), out);
      }
      out.writeLong(end.sequence());
      Fields.writeString(end.reason(), out);
      out.writeLong(end.arrivalMillis());
      writeCounts(end.tail(), out);
    }
    out.writeLong(turn.timestamp());
    out.writeLong(turn.closedMillis());
  }

  private static Turn readTurn(int version, DataInputView in) throws IOException {
    int kind = in.readUnsignedByte();
    return switch (kind) {
      case CHUNK -> new ChunkTurn(readChunk(in, version < WITH_LIFE), in.readLong(), in.readLong());
      case GAP -> new GapTurn(readGap(in), in.readLong(), in.readLong());
      case END ->
          new EndTurn(
              version < WITH_LIFE || in.readBoolean()
                  ? Optional.of(Origin.read(in))
                  : Optional.empty(),
              in.readLong(),
              version < WITH_LIFE ? "" : Fields.readString(in),
              in.readLong(),
              readCounts(in),
              in.readLong(),
              in.readLong());
      case COMMAND ->
          new CommandTurn(
              Command.read(in),
              Origin.read(in),
              in.readBoolean(),
              version < WITH_LIFE ? 0 : in.readLong(),
              version < WITH_LIFE
                  ? Optional.empty()
                  : Fields.readList(Origin::read, in).stream().findFirst(),
              in.readLong(),
              in.readLong(),
              in.readLong());
      case SKIPPED ->
          new SkippedTurn(SkippedRun.read(in), in.readBoolean(), in.readLong(), in.readLong());
      default -> throw new IOException("stored turn is damaged: kind " + kind);
    };
  }

  private static void writeChunk(Chunk<SourcedFrame> chunk, DataOutputView out) throws IOException {
    out.writeLong(chunk.index());
    out.writeLong(chunk.startMicros());
    out.writeLong(chunk.endMicros());
    Repeats<Frame<SourcedFrame>> frames = Repeats.of(chunk.frames());
    frames.write(TurnsSerializer::writeFrame, out);
    out.writeLong(chunk.firstSequence());
    out.writeLong(chunk.lastSequence());
    writeCounts(chunk.counts(), out);
    out.writeBoolean(chunk.clockReset());
    out.writeBoolean(chunk.dropVision());
  }

  private static Chunk<SourcedFrame> readChunk(DataInputView in, boolean whole) throws IOException {
    return new Chunk<>(
        in.readLong(),
        in.readLong(),
        in.readLong(),
        Repeats.read(from -> readFrame(from, whole), in).all(),
        in.readLong(),
        in.readLong(),
        readCounts(in),
        in.readBoolean(),
        in.readBoolean());
  }

  private static void writeGap(Gap<SourcedFrame> gap, DataOutputView out) throws IOException {
    out.writeLong(gap.first());
    out.writeLong(gap.last());
    out.writeLong(gap.startMicros());
    out.writeLong(gap.endMicros());
    writeCounts(gap.counts(), out);
  }

  private static Gap<SourcedFrame> readGap(DataInputView in) throws IOException {
    return new Gap<>(in.readLong(), in.readLong(), in.readLong(), in.readLong(), readCounts(in));
  }

  static void writeCounts(Counts counts, DataOutputView out) throws IOException {
    out.writeInt(counts.received());
    out.writeInt(counts.used());
    out.writeInt(counts.surplus());
    out.writeInt(counts.duplicate());
    out.writeInt(counts.missing());
  }

  static Counts readCounts(DataInputView in) throws IOException {
    return new Counts(in.readInt(), in.readInt(), in.readInt(), in.readInt(), in.readInt());
  }

  static void writeFrame(Frame<SourcedFrame> frame, DataOutputView out) throws IOException {
    out.writeLong(frame.sequence());
    out.writeLong(frame.captureMicros());
    SourcedFrame.write(frame.payload(), out);
  }

  /**
   * A frame as it was stored.
   *
   * @param whole in the earlier layout, with its picture
   */
  static Frame<SourcedFrame> readFrame(DataInputView in, boolean whole) throws IOException {
    long sequence = in.readLong();
    long captureMicros = in.readLong();
    SourcedFrame payload = whole ? SourcedFrame.readWhole(in) : SourcedFrame.read(in);
    return payload.frame(sequence, captureMicros); // which knows when it arrived
  }

  @Override
  public List<Turn> createInstance() {
    return List.of();
  }

  @Override
  public SnapshotOfTurns snapshotConfiguration() {
    return new SnapshotOfTurns();
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfTurns extends Snapshot<List<Turn>> {
    public SnapshotOfTurns() {
      super(TurnsSerializer::new);
    }
  }
}
