// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import io.everwatch.operators.chunk.AssemblerState.Rate;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/** How many grid points each chunk has: changes of the frame rate, by the chunk they begin with. */
final class Rates {
  private final NavigableMap<Long, Integer> points = new TreeMap<>();

  Rates(List<Rate> rates) {
    rates.forEach(rate -> points.put(rate.fromChunk(), rate.framesPerChunk()));
  }

  /** Of chunks before the oldest change that is remembered: as after it. */
  int of(long chunk) {
    var rate = points.floorEntry(chunk);
    return (rate == null ? points.firstEntry() : rate).getValue();
  }

  /** Grid points of the chunks {@code [first, end)}. */
  long sum(long first, long end) {
    long sum = 0;
    for (long chunk = first; chunk < end; ) {
      Long change = points.higherKey(chunk);
      long to = change == null ? end : Math.min(change, end);
      sum += Math.min(to - chunk, Integer.MAX_VALUE) * of(chunk);
      chunk = to;
    }
    return sum;
  }

  /** From {@code chunk} on, whatever was to happen later. */
  void change(long chunk, int framesPerChunk) {
    points.tailMap(chunk, true).clear();
    if (points.isEmpty() || of(chunk) != framesPerChunk) {
      points.put(chunk, framesPerChunk);
    }
  }

  /** Nobody asks for chunks before {@code chunk} any more. */
  void forgetBefore(long chunk) {
    while (points.size() > 1 && points.higherKey(points.firstKey()) <= chunk) {
      points.pollFirstEntry();
    }
  }

  List<Rate> list() {
    List<Rate> list = new ArrayList<>();
    points.forEach((chunk, frames) -> list.add(new Rate(chunk, frames)));
    return list;
  }
}
