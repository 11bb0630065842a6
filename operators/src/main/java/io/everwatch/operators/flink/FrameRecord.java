// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.EncodedFrame;
import java.util.Arrays;
import java.util.function.Function;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.jspecify.annotations.Nullable;

/**
 * A record of the frames or the commands topic on its way to the operator, which takes both in one
 * order per stream. {@link RecordReader}s make them.
 *
 * @param key whose state it belongs to; of an unusable record a key that only spreads the load
 * @param arrivalMillis the record's own time, milliseconds since the epoch: when the broker stored
 *     it ({@code LogAppendTime}), or what its producer says ({@code CreateTime}); the same whenever
 *     it is read, since chunk assembly looks at it
 */
public record FrameRecord(StreamKey key, Origin origin, long arrivalMillis, Content content) {
  public static final TypeInformation<FrameRecord> TYPE =
      new VersionedType<>(FrameRecord.class, new FrameRecordSerializer());

  /** What the record was. */
  public sealed interface Content permits Picture, End, Command, Unusable {
    <R> R match(
        Function<Picture, R> picture,
        Function<End, R> end,
        Function<Command, R> command,
        Function<Unusable, R> unusable);
  }

  /** One frame. The picture itself has not been looked at. */
  public record Picture(long sequence, long captureMicros, EncodedFrame frame) implements Content {
    @Override
    public <R> R match(
        Function<Picture, R> picture,
        Function<End, R> end,
        Function<Command, R> command,
        Function<Unusable, R> unusable) {
      return picture.apply(this);
    }
  }

  /** The last record of its stream. */
  public record End(long sequence) implements Content {
    @Override
    public <R> R match(
        Function<Picture, R> picture,
        Function<End, R> end,
        Function<Command, R> command,
        Function<Unusable, R> unusable) {
      return end.apply(this);
    }
  }

  /**
   * Goes to the dead-letter topic.
   *
   * @param streamId null: the record could not be decoded
   * @param original the record's value, at most its first {@link DeadLetters#MAX_ORIGINAL_BYTES}
   * @param originalSize size of the whole of it, bytes
   */
  public record Unusable(
      String reason,
      String detail,
      @Nullable String streamId,
      long sequence,
      long captureMicros,
      byte[] original,
      int originalSize)
      implements Content {
    /** Of a record that names no frame. */
    static Unusable of(String reason, String detail, @Nullable String streamId, byte[] value) {
      return of(reason, detail, streamId, /* sequence= */ -1, /* captureMicros= */ 0, value);
    }

    /** Keeps no more of the value than a dead letter does. */
    static Unusable of(
        String reason,
        String detail,
        @Nullable String streamId,
        long sequence,
        long captureMicros,
        byte[] value) {
      byte[] head = Arrays.copyOf(value, Math.min(value.length, DeadLetters.MAX_ORIGINAL_BYTES));
      return new Unusable(reason, detail, streamId, sequence, captureMicros, head, value.length);
    }

    @Override
    public <R> R match(
        Function<Picture, R> picture,
        Function<End, R> end,
        Function<Command, R> command,
        Function<Unusable, R> unusable) {
      return unusable.apply(this);
    }
  }
}
