// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult.Outcome;
import io.everwatch.operators.model.EncodedFrame;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * A round that was answered after the last snapshot of its stream's memory: run again, in order, it
 * brings the memory of the snapshot to where the stream stood.
 *
 * @param outcome checksum of what was said, to tell when running it again says something else
 */
record LoggedRound(RoundInput input, int outcome) {
  LoggedRound(RoundInput input, Outcome outcome) {
    this(input, checksum(outcome));
  }

  /** Whether running it again came to the same. */
  boolean cameTo(Outcome again) {
    return outcome == checksum(again);
  }

  /** Bytes of pictures, which are nearly all of it. */
  long sizeBytes() {
    return Repeats.of(input.frames()).distinct().stream()
        .mapToLong(frame -> frame.bytes().length)
        .sum();
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

  static final class Serializer extends VersionedSerializer<LoggedRound> {
    private static final long serialVersionUID = 1;

    @Override
    int version() {
      return 1;
    }

    @Override
    String what() {
      return "logged round";
    }

    @Override
    void write(LoggedRound round, DataOutputView out) throws IOException {
      out.writeLong(round.input.chunk());
      out.writeBoolean(round.input.dropVision());
      Repeats.of(round.input.frames()).write(StoredPicture::write, out);
      out.writeInt(round.outcome);
    }

    @Override
    LoggedRound read(int version, DataInputView in) throws IOException {
      long chunk = in.readLong();
      boolean dropVision = in.readBoolean();
      Repeats<EncodedFrame> frames = Repeats.read(StoredPicture::read, in);
      return new LoggedRound(new RoundInput(chunk, frames.all(), dropVision), in.readInt());
    }

    @Override
    public LoggedRound createInstance() {
      return new LoggedRound(new RoundInput(0, java.util.List.of(), false), 0);
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
