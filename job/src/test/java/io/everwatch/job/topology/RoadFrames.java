// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.camera.CameraFrame;
import io.everwatch.job.camera.RoadSceneSource;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.ByteBuffer;

/** Frames of a synthetic road as records, at a fixed time: the same bytes in every run. */
final class RoadFrames implements AutoCloseable {
  /** 2026-01-01T00:00:00Z. */
  static final long START_MICROS = 1_767_225_600_000_000L;

  static {
    WireFormat.trustGeneratedClasses(); // before the first builder
  }

  private final String streamId;
  private final FrameEncoding encoding;
  private final RoadSceneSource source;
  private long sequence;

  RoadFrames(String streamId, long seed, Encoding encoding) {
    this.streamId = streamId;
    this.encoding = FrameEncoding.valueOf(encoding.name());
    source = new RoadSceneSource(RoadScene.ofSeed(seed), encoding);
  }

  /** The next frame, half a second later. */
  FrameEvent.Builder next() {
    CameraFrame frame = source.next().orElseThrow();
    return FrameEvent.newBuilder()
        .setStreamId(streamId)
        .setSequence(sequence++)
        .setCaptureMicros(START_MICROS + frame.offsetMicros())
        .setEncoding(encoding)
        .setWidth(frame.picture().width())
        .setHeight(frame.picture().height())
        .setBytes(ByteBuffer.wrap(frame.picture().bytes()));
  }

  FrameEvent end() {
    return FrameEvent.newBuilder()
        .setStreamId(streamId)
        .setSequence(sequence)
        .setCaptureMicros(START_MICROS)
        .setEndOfStream(true)
        .build();
  }

  @Override
  public void close() {
    source.close();
  }
}
