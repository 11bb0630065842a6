// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DType;
import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All of a session but K and V. Layout {@value SnapshotPieces#VERSION}; big-endian, strings are
 * UTF-8 with a length before, enums are their names. A field more needs a new layout; the older
 * ones stay readable.
 *
 * @param modelDigest of the model that computed the rows
 * @param numerics identity of what computed them
 * @param rowType type of the values of the rows
 * @param rowElements elements of one row; of no meaning when there is none
 * @param transcript of the memory, for a model with another vocabulary
 */
record SnapshotHeader(
    String streamId,
    String modelDigest,
    String numerics,
    DType rowType,
    int rowElements,
    StreamSettings settings,
    Committed committed,
    Transcript transcript) {
  /** The layout that was the first to have a transcript. */
  private static final int WITH_TRANSCRIPT = 2;

  /** The layout that was the first to say how prompts are computed. */
  private static final int WITH_PREFILL = 3;

  byte[] write() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      text(out, streamId);
      text(out, modelDigest);
      text(out, numerics);
      text(out, rowType.name());
      out.writeInt(rowElements);
      write(out, settings);
      out.writeLong(committed.rounds());
      out.writeLong(committed.nextSegment());
      write(out, committed.memory());
      out.writeInt(transcript.texts().size());
      for (String text : transcript.texts()) {
        text(out, text);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return bytes.toByteArray();
  }

  /**
   * @param version layout of the bytes
   * @throws CorruptSnapshotException when the bytes are not what {@link #write} makes
   */
  static SnapshotHeader read(byte[] bytes, int version) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      String streamId = text(in);
      String model = text(in);
      String numerics = text(in);
      DType type = rowType(text(in));
      int elements = in.readInt();
      StreamSettings settings = settings(in, version);
      long rounds = in.readLong();
      long nextSegment = in.readLong();
      StreamMemory memory = memory(in);
      SnapshotHeader header =
          new SnapshotHeader(
              streamId,
              model,
              numerics,
              type,
              elements,
              settings,
              new Committed(memory, rounds, nextSegment),
              version < WITH_TRANSCRIPT ? Transcript.UNKNOWN : transcript(in, memory));
      if (in.available() > 0) {
        throw new IOException(in.available() + " bytes more than expected");
      }
      return header;
    } catch (IOException | IllegalArgumentException e) {
      throw new CorruptSnapshotException(
          "the header of a snapshot has right checksums but cannot be read (%s); expected version %d; rebuild the stream"
              .formatted(e.getMessage(), SnapshotPieces.VERSION),
          e);
    }
  }

  private static DType rowType(String name) throws IOException {
    if (!name.equals(DType.F32.name()) && !name.equals(DType.BF16.name())) {
      throw new IOException("rows of type %s, not F32 or BF16".formatted(name));
    }
    return DType.valueOf(name);
  }

  /** Bytes of one row. */
  int rowBytes() {
    return Math.multiplyExact(rowElements, rowType.sizeBytes());
  }

  private static Transcript transcript(DataInputStream in, StreamMemory memory) throws IOException {
    int slices = count(in, Integer.BYTES);
    if (slices != memory.slices().size()) {
      throw new IOException(
          "texts of %d slices; the memory has %d".formatted(slices, memory.slices().size()));
    }
    List<String> texts = new ArrayList<>(slices);
    for (int i = 0; i < slices; i++) {
      texts.add(text(in));
    }
    return new Transcript(texts);
  }

  private static void write(DataOutputStream out, StreamSettings s) throws IOException {
    out.writeDouble(s.fps());
    out.writeLong(s.chunkMicros());
    out.writeLong(s.minPixels());
    out.writeLong(s.maxPixels());
    out.writeInt(s.visualRounds());
    out.writeInt(s.textRounds());
    out.writeBoolean(s.cutText());
    out.writeInt(s.textSink());
    out.writeInt(s.textWindow());
    out.writeInt(s.maxNewTokens());
    out.writeFloat(s.temperature());
    out.writeFloat(s.repetitionPenalty());
    out.writeInt(s.topK());
    out.writeFloat(s.topP());
    out.writeLong(s.seed());
    text(out, s.instruction());
    text(out, s.queryPlacement().name());
    out.writeDouble(s.markerLimitSeconds());
    out.writeLong(s.allowedLatenessMicros());
    out.writeLong(s.maxGapMicros());
    out.writeLong(s.maxClockJumpMicros());
    PrefillSettings prefill = s.prefill();
    out.writeInt(prefill.piece());
    text(out, prefill.sparse().name());
    out.writeInt(prefill.block());
    out.writeDouble(prefill.gamma());
    out.writeDouble(prefill.tau());
    out.writeInt(prefill.minBudget());
    out.writeInt(prefill.maxBudget());
    out.writeInt(prefill.minChunk());
    out.writeBoolean(prefill.denseLastRow());
  }

  private static PrefillSettings prefill(DataInputStream in) throws IOException {
    return new PrefillSettings(
        in.readInt(),
        PrefillSettings.Sparse.valueOf(text(in)),
        in.readInt(),
        in.readDouble(),
        in.readDouble(),
        in.readInt(),
        in.readInt(),
        in.readInt(),
        in.readBoolean());
  }

  private static StreamSettings settings(DataInputStream in, int version) throws IOException {
    return new StreamSettings(
        in.readDouble(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        in.readInt(),
        in.readInt(),
        in.readBoolean(),
        in.readInt(),
        in.readInt(),
        in.readInt(),
        in.readFloat(),
        in.readFloat(),
        in.readInt(),
        in.readFloat(),
        in.readLong(),
        text(in),
        QueryPlacement.valueOf(text(in)),
        in.readDouble(),
        in.readLong(),
        in.readLong(),
        in.readLong(),
        version < WITH_PREFILL ? PrefillSettings.DEFAULT : prefill(in));
  }

  private static void write(DataOutputStream out, StreamMemory memory) throws IOException {
    Map<Long, Integer> index = new LinkedHashMap<>();
    List<Segment> segments = new ArrayList<>();
    for (Slice slice : memory.slices()) {
      if (index.putIfAbsent(slice.segment().id(), segments.size()) == null) {
        segments.add(slice.segment());
      }
    }
    out.writeInt(segments.size());
    for (Segment segment : segments) {
      out.writeLong(segment.id());
      text(out, segment.kind().name());
      out.writeLong(segment.round());
      out.writeInt(segment.ids().length);
      for (int id : segment.ids()) {
        out.writeInt(id);
      }
      VideoGrid grid = segment.grid();
      out.writeBoolean(grid != null);
      if (grid != null) {
        out.writeInt(grid.frames());
        out.writeInt(grid.height());
        out.writeInt(grid.width());
        out.writeFloat(grid.timeStep());
      }
    }
    out.writeInt(memory.slices().size());
    for (Slice slice : memory.slices()) {
      out.writeInt(index.getOrDefault(slice.segment().id(), -1));
      out.writeInt(slice.from());
      out.writeInt(slice.to());
      text(out, slice.kind().name());
      out.writeLong(slice.round());
    }
    out.writeInt(memory.cachedRows());
  }

  private static StreamMemory memory(DataInputStream in) throws IOException {
    int count = count(in, 4);
    List<Segment> segments = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      long id = in.readLong();
      SegmentKind kind = SegmentKind.valueOf(text(in));
      long round = in.readLong();
      int[] ids = new int[count(in, 4)];
      for (int n = 0; n < ids.length; n++) {
        ids[n] = in.readInt();
      }
      VideoGrid grid =
          in.readBoolean()
              ? new VideoGrid(in.readInt(), in.readInt(), in.readInt(), in.readFloat())
              : null;
      segments.add(new Segment(id, kind, round, ids, grid));
    }
    int slices = count(in, 4);
    List<Slice> list = new ArrayList<>(slices);
    for (int i = 0; i < slices; i++) {
      int at = in.readInt();
      if (at < 0 || at >= count) {
        throw new IOException("slice of segment %d of %d".formatted(at, count));
      }
      list.add(
          new Slice(
              segments.get(at),
              in.readInt(),
              in.readInt(),
              SegmentKind.valueOf(text(in)),
              in.readLong()));
    }
    StreamMemory memory = new StreamMemory(list, in.readInt());
    if (memory.cachedRows() < 0 || memory.cachedRows() > memory.rows()) {
      throw new IOException(
          "%d of %d rows are cached".formatted(memory.cachedRows(), memory.rows()));
    }
    return memory;
  }

  /** A count of things of at least {@code size} bytes each that the rest can hold. */
  private static int count(DataInputStream in, int size) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > in.available() / size) {
      throw new IOException("%d entries in %d bytes".formatted(count, in.available()));
    }
    return count;
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static String text(DataInputStream in) throws IOException {
    byte[] bytes = new byte[count(in, 1)];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
