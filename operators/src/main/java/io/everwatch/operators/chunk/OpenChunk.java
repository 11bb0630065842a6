// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A chunk that is not closed yet: the frames of its grid points so far; at least one. */
final class OpenChunk<P> {
  private final TreeMap<Integer, Frame<P>> points = new TreeMap<>();

  int used() {
    return points.size();
  }

  Optional<Frame<P>> at(int point) {
    return Optional.ofNullable(points.get(point));
  }

  void put(int point, Frame<P> frame) {
    points.put(point, frame);
  }

  Map<Integer, Frame<P>> points() {
    return points;
  }

  /**
   * One frame per grid point: a point without repeats the one before, the first ones the next
   * (architecture §3a.1).
   */
  List<Frame<P>> filled(int framesPerChunk) {
    List<Frame<P>> frames = new ArrayList<>(framesPerChunk);
    Frame<P> last = points.firstEntry().getValue();
    for (int point = 0; point < framesPerChunk; point++) {
      last = points.getOrDefault(point, last);
      frames.add(last);
    }
    return frames;
  }

  long firstSequence() {
    return points.values().stream().mapToLong(Frame::sequence).min().orElseThrow();
  }

  long lastSequence() {
    return points.values().stream().mapToLong(Frame::sequence).max().orElseThrow();
  }
}
