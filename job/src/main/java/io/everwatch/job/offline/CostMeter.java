// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import io.everwatch.job.evaluation.Outcome.Cost;
import java.util.ArrayList;
import java.util.List;

/**
 * What seconds cost by the stretches of the streams' life. The streams advance nearly together, so
 * that processor time belongs to the stretch in which most of it was spent.
 */
final class CostMeter {
  private final long seconds; // of all streams
  private final long[] cpuNanos;
  private final long[] rounds;
  private final int[] mostRows;
  private long done;
  private long last = ProcessFigures.cpuNanos();

  CostMeter(int stretches, long seconds, int streams) {
    this.seconds = seconds * streams;
    cpuNanos = new long[stretches];
    rounds = new long[stretches];
    mostRows = new int[stretches];
  }

  /** One more second of a stream was understood. */
  void passed(int contextRows) {
    int part = (int) (done++ * cpuNanos.length / seconds);
    long now = ProcessFigures.cpuNanos();
    cpuNanos[part] += now - last;
    last = now;
    rounds[part]++;
    mostRows[part] = Math.max(mostRows[part], contextRows);
  }

  List<Cost> costs() {
    List<Cost> costs = new ArrayList<>();
    for (int part = 0; part < cpuNanos.length; part++) {
      costs.add(new Cost(cpuNanos[part] / 1e6 / Math.max(1, rounds[part]), mostRows[part]));
    }
    return costs;
  }
}
