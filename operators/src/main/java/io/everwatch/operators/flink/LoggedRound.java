// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * A round that was answered after the last snapshot of its stream's memory: run again, in order, it
 * brings the memory of the snapshot to where the stream stood.
 *
 * @param frames one per grid point, repeats included (the same instance again)
 * @param sampling what commands had changed of its sampling
 * @param outcome checksum of what was said, to tell when running it again says something else
 * @param said the words, empty for silence: a memory that must be rebuilt takes them as they were;
 *     null: written in a layout that did not keep them
 * @param joined its answer was given, and it was computed in one prefill with the round after it
 */
record LoggedRound(
    long chunk,
    boolean dropVision,
    List<SourcedFrame> frames,
    Map<String, String> sampling,
    int outcome,
    @Nullable String said,
    boolean joined) {
  /** Where the frames of earlier layouts lay is not known. */
  private static final Origin UNKNOWN = new Origin("", -1, -1, null);

  LoggedRound {
    frames = List.copyOf(frames);
  }

  static LoggedRound of(
      RoundInput input, List<SourcedFrame> frames, Map<String, String> sampling, Outcome outcome) {
    return new LoggedRound(
        input.chunk(),
        input.dropVision(),
        frames,
        sampling,
        checksum(outcome),
        text(outcome),
        input.said() != null);
  }

  /** What the engine got. The pictures must be in the heap. */
  RoundInput input() {
    return new RoundInput(chunk, frames.stream().map(SourcedFrame::picture).toList(), dropVision);
  }

  /** Whether the words of its answer are known. */
  boolean hasWords() {
    return said != null;
  }

  /** The chunk, to be answered as it was before. The pictures must be in the heap. */
  RoundInput asSaid() {
    return said == null ? input() : input().answered(said);
  }

  /** The same without its pictures, which need not be in the heap. */
  RoundInput inWords() {
    RoundInput blind = new RoundInput(chunk, List.of(), dropVision);
    return said == null ? blind : blind.answered(said);
  }

  /** Whether running it again came to the same. */
  boolean cameTo(Outcome again) {
    return outcome == checksum(again);
  }

  Set<SourcedFrame> distinct() {
    Set<SourcedFrame> distinct = StoredPictures.identities();
    distinct.addAll(frames);
    return distinct;
  }

  /** Bytes of pictures, which are nearly all of it. */
  long sizeBytes() {
    return distinct().stream().mapToLong(SourcedFrame::sizeBytes).sum();
  }

  private static int checksum(Outcome outcome) {
    CRC32C crc = new CRC32C();
    String said =
        outcome.match(
            spoke -> "s %d %s".formatted(spoke.tokens(), spoke.text()),
            silent -> "p %d".formatted(silent.tokens()),
            failed -> "f");
    crc.update(said.getBytes(StandardCharsets.UTF_8));
    return (int) crc.getValue();
  }

  private static String text(Outcome outcome) {
    return outcome.match(spoke -> spoke.text(), silent -> "", failed -> "");
  }

  static final class Serializer extends VersionedSerializer<LoggedRound> {
    private static final long serialVersionUID = 1;

    /** The layout that was the first to have changes of sampling. */
    private static final int WITH_SAMPLING = 2;

    /** The layout that was the first to have rounds of several chunks. */
    private static final int WITH_JOINED = 4;

    /** The layout that was the first to have the words, and to refer to its pictures. */
    private static final int WITH_WORDS = 3;

    @Override
    int version() {
      return 4;
    }

    @Override
    String what() {
      return "logged round";
    }

    @Override
    void write(LoggedRound round, DataOutputView out) throws IOException {
      out.writeLong(round.chunk);
      out.writeBoolean(round.dropVision);
      Repeats.of(round.frames).write(SourcedFrame::write, out);
      out.writeInt(round.outcome);
      Fields.writeMap(round.sampling, out);
      out.writeBoolean(round.said != null);
      Fields.writeString(round.said == null ? "" : round.said, out);
      out.writeBoolean(round.joined);
    }

    @Override
    LoggedRound read(int version, DataInputView in) throws IOException {
      long chunk = in.readLong();
      boolean dropVision = in.readBoolean();
      List<SourcedFrame> frames =
          Repeats.read(
                  version < WITH_WORDS
                      ? from -> new SourcedFrame(StoredPicture.read(from), UNKNOWN, -1)
                      : SourcedFrame::read,
                  in)
              .all();
      int outcome = in.readInt();
      return new LoggedRound(
          chunk,
          dropVision,
          frames,
          version < WITH_SAMPLING ? Map.of() : Fields.readMap(in),
          outcome,
          version < WITH_WORDS ? null : readWords(in),
          version >= WITH_JOINED && in.readBoolean());
    }

    private static @Nullable String readWords(DataInputView in) throws IOException {
      boolean known = in.readBoolean();
      String words = Fields.readString(in);
      return known ? words : null;
    }

    @Override
    public LoggedRound createInstance() {
      return new LoggedRound(0, false, List.of(), Map.of(), 0, null, false);
    }

    @Override
    public SnapshotOfRounds snapshotConfiguration() {
      return new SnapshotOfRounds();
    }
  }

  /** Public for Flink, which makes it by reflection. */
  public static final class SnapshotOfRounds extends VersionedSerializer.Snapshot<LoggedRound> {
    public SnapshotOfRounds() {
      super(Serializer::new);
    }
  }
}
