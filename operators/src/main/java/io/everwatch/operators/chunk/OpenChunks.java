// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.Assembled.Reason;
import io.everwatch.operators.chunk.AssemblerState.Placed;
import io.everwatch.operators.chunk.AssemblerState.Progress;
import io.everwatch.operators.chunk.Grid.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The chunks of one stream that have frames and are not closed, and the making of events. */
final class OpenChunks<P> {
  private final ChunkSettings settings;
  private final Rates rates;
  private final TreeMap<Long, OpenChunk<P>> open = new TreeMap<>();
  private long beganMicros;
  private Grid grid;
  private long nextChunk;
  private long nextEvent;
  private long completeMask;
  private int surplus;
  private int duplicate;
  private boolean clockReset;
  private boolean dropVision;

  OpenChunks(ChunkSettings settings, Rates rates, Progress progress, List<Placed<P>> placed) {
    this.settings = settings;
    this.rates = rates;
    this.beganMicros = progress.beganMicros();
    this.grid = grid(progress.anchorMicros(), progress.anchorChunk());
    this.nextChunk = progress.nextChunk();
    this.nextEvent = progress.nextEvent();
    this.completeMask = progress.completeMask();
    this.surplus = progress.surplus();
    this.duplicate = progress.duplicate();
    this.clockReset = progress.clockReset();
    this.dropVision = progress.dropVision();
    for (Placed<P> one : placed) {
      chunk(one.chunk()).put(one.point(), one.frame());
    }
  }

  Progress progress(long clockMicros, long clockArrivalMicros) {
    return new Progress(
        beganMicros,
        grid.anchorMicros(),
        grid.anchorChunk(),
        nextChunk,
        nextEvent,
        completeMask,
        clockMicros,
        clockArrivalMicros,
        surplus,
        duplicate,
        clockReset,
        dropVision);
  }

  List<Placed<P>> placed() {
    List<Placed<P>> placed = new ArrayList<>();
    open.forEach(
        (index, chunk) ->
            chunk.points().forEach((at, frame) -> placed.add(new Placed<>(index, at, frame))));
    return placed;
  }

  int frames() {
    int frames = 0;
    for (OpenChunk<P> chunk : open.values()) {
      frames += chunk.used();
    }
    return frames;
  }

  Counts unreported() {
    return new Counts(surplus + duplicate, 0, surplus, duplicate, 0);
  }

  void countDuplicate() {
    duplicate++;
  }

  /** First chunk that is not closed. */
  long next() {
    return nextChunk;
  }

  long endMicros(long chunk) {
    return grid.endMicros(chunk);
  }

  /** Last chunk whose end lies {@code allowedLateness} or more before the clock. */
  long due(long clockMicros) {
    return grid.chunkAt(clockMicros - settings.allowedLatenessMicros()) - 1;
  }

  /** The stream's first grid. */
  void begin(long micros) {
    beganMicros = micros;
    anchor(micros);
  }

  /** Capture time of the stream's first frame; 0 before it came. */
  long beganMicros() {
    return beganMicros;
  }

  private void anchor(long micros) {
    grid = grid(micros, nextChunk);
  }

  /**
   * A new grid from the next chunk on; all chunks are closed.
   *
   * @param awayMicros that may have passed since the newest frame at most
   */
  void resetClock(long awayMicros, long toMicros) {
    anchor(toMicros);
    clockReset = true;
    dropVision |= awayMicros > settings.maxGapMicros();
  }

  /** Other grid points from the first chunk on that has no frame yet. */
  void changeRate(int framesPerChunk) {
    rates.change(
        open.isEmpty() ? nextChunk : Math.max(nextChunk, open.lastKey() + 1), framesPerChunk);
  }

  /** The next frame in sequence order. */
  void place(Frame<P> frame, long distanceMicros, List<Assembled<P>> out) {
    Place place = placeOf(frame, distanceMicros);
    if (place.chunk() < nextChunk) {
      refuse(frame, place.chunk(), out);
    } else if (chunk(place.chunk()).at(place.point()).isPresent()) {
      surplus++;
    } else {
      chunk(place.chunk()).put(place.point(), frame);
    }
  }

  /** A frame that others of higher sequence have overtaken; its neighbours are not known. */
  void placeStraggler(Frame<P> frame, List<Assembled<P>> out) {
    Place place = placeOf(frame, 0);
    if (place.chunk() < nextChunk) {
      refuse(frame, place.chunk(), out);
      return;
    }
    OpenChunk<P> chunk = chunk(place.chunk());
    Optional<Frame<P>> holder = chunk.at(place.point());
    if (holder.isEmpty()) {
      chunk.put(place.point(), frame);
    } else if (holder.get().sequence() == frame.sequence()) {
      duplicate++;
    } else {
      surplus++; // one of the two: the first in sequence order serves the point
      if (frame.sequence() < holder.get().sequence()) {
        chunk.put(place.point(), frame);
      }
    }
  }

  /** Closes chunks up to {@code last}; those without a frame become part of a gap. */
  void closeThrough(long last, List<Assembled<P>> out) {
    while (!open.isEmpty() && open.firstKey() <= last) {
      close(out);
    }
    advance(last + 1);
  }

  /**
   * Closes the first chunks while they are complete. Their frames are in sequence order without a
   * missing one, so chunks without a frame before them are a gap and need not be waited for.
   */
  void closeComplete(List<Assembled<P>> out) {
    while (!open.isEmpty() && open.firstEntry().getValue().used() == rates.of(open.firstKey())) {
      close(out);
    }
  }

  void closeAll(List<Assembled<P>> out) {
    while (!open.isEmpty()) {
      close(out);
    }
    gapBefore(nextChunk, out);
  }

  private void close(List<Assembled<P>> out) {
    Map.Entry<Long, OpenChunk<P>> first = open.pollFirstEntry();
    long index = first.getKey();
    OpenChunk<P> chunk = first.getValue();
    gapBefore(index, out);
    int points = rates.of(index);
    int used = chunk.used();
    out.add(
        new Chunk<>(
            index,
            grid.startMicros(index),
            grid.endMicros(index),
            chunk.filled(points),
            chunk.firstSequence(),
            chunk.lastSequence(),
            new Counts(used + surplus + duplicate, used, surplus, duplicate, points - used),
            clockReset,
            dropVision));
    surplus = 0;
    duplicate = 0;
    clockReset = false;
    dropVision = false;
    advance(index + 1);
    nextEvent = index + 1;
    completeMask |= used == points ? 1 : 0;
    rates.forgetBefore(nextEvent - 1); // a frame of the one before may belong to the next
  }

  private void gapBefore(long chunk, List<Assembled<P>> out) {
    if (nextEvent >= chunk) {
      return;
    }
    long start = grid.startMicros(nextEvent);
    long end = grid.startMicros(chunk);
    long missing = Math.min(rates.sum(nextEvent, chunk), Integer.MAX_VALUE);
    out.add(new Gap<>(nextEvent, chunk - 1, start, end, new Counts(0, 0, 0, 0, (int) missing)));
    nextEvent = chunk;
    dropVision |= end - start > settings.maxGapMicros();
  }

  private void advance(long chunk) {
    if (chunk > nextChunk) {
      long by = chunk - nextChunk;
      completeMask = by < Long.SIZE ? completeMask << by : 0;
      nextChunk = chunk;
    }
  }

  /** A frame of a closed chunk (architecture §3a.3). */
  private void refuse(Frame<P> frame, long chunk, List<Assembled<P>> out) {
    long back = nextChunk - 1 - chunk;
    boolean known = back < Long.SIZE && chunk >= grid.anchorChunk();
    if (known && (completeMask >>> back & 1) == 1) {
      surplus++;
    } else {
      out.add(
          new DeadFrame<>(
              frame,
              Reason.LATE,
              ("frame %d of capture time %d us belongs to chunk %d, and chunks before %d "
                      + "are closed; expected it within the allowed lateness of %d us; raise it, "
                      + "or look at the network before the topic")
                  .formatted(
                      frame.sequence(),
                      frame.captureMicros(),
                      chunk,
                      nextChunk,
                      settings.allowedLatenessMicros())));
    }
  }

  private Place placeOf(Frame<P> frame, long distanceMicros) {
    int points = rates.of(grid.chunkAt(frame.captureMicros()));
    return grid.place(frame.captureMicros(), distanceMicros, points);
  }

  private OpenChunk<P> chunk(long index) {
    return open.computeIfAbsent(index, i -> new OpenChunk<>());
  }

  private Grid grid(long anchorMicros, long anchorChunk) {
    return new Grid(anchorMicros, anchorChunk, settings.chunkMicros());
  }
}
