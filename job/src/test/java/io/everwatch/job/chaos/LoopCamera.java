// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.ByteBuffer;

/**
 * A camera on a {@link SceneLoop}: every second frame begins a chunk, capture times and sequences
 * count on for ever, the same bytes in every run.
 */
final class LoopCamera {
  /** 2026-01-01T00:00:00Z. */
  static final long START_MICROS = 1_767_225_600_000_000L;

  private static final long FRAME_MICROS = 1_000_000 / SceneLoop.FPS;

  final String streamId;

  private final SceneLoop loop;
  private final long offset;
  private final long startMicros;
  private long frames;
  private long bytes;

  /**
   * @param offset of its first frame in the loop
   * @param startMicros capture time of the first frame
   */
  LoopCamera(String streamId, SceneLoop loop, long offset, long startMicros) {
    this.streamId = streamId;
    this.loop = loop;
    this.offset = offset;
    this.startMicros = startMicros;
  }

  /** Seconds of video begun. */
  long seconds() {
    return (frames + 1) / SceneLoop.FPS;
  }

  /** Frames so far. */
  long frames() {
    return frames;
  }

  /** Bytes of their pictures. */
  long bytes() {
    return bytes;
  }

  /** When the next frame is captured, microseconds since the epoch. */
  long nextMicros() {
    return startMicros + frames * FRAME_MICROS;
  }

  /** The next frame as a record. */
  byte[] next() {
    EncodedFrame picture = loop.at(offset + frames);
    FrameEvent event =
        WireFormat.newFrameEvent()
            .setStreamId(streamId)
            .setSequence(frames)
            .setCaptureMicros(nextMicros())
            .setEncoding(FrameEncoding.valueOf(picture.encoding().name()))
            .setWidth(picture.width())
            .setHeight(picture.height())
            .setBytes(ByteBuffer.wrap(picture.bytes()))
            .build();
    frames++;
    bytes += picture.bytes().length;
    return WireFormat.encode(event);
  }

  /** The end of the stream as a record. */
  byte[] end() {
    return WireFormat.encode(
        WireFormat.newFrameEvent()
            .setStreamId(streamId)
            .setSequence(frames)
            .setCaptureMicros(nextMicros())
            .setEndOfStream(true)
            .build());
  }
}
