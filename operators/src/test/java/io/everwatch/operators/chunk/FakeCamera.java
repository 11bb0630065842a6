// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Frames of a camera with faults, from a seed. Payloads are running numbers of the records, so that
 * a copy can be told from its original.
 *
 * @param fps of the camera; 0 = variable, 1 to 60 frames per second
 * @param jitterMicros largest displacement of a capture time, either way
 * @param loss share of frames lost
 * @param duplicates share of frames that come twice, within ten records
 * @param disorder largest number of records by which a frame is late
 * @param jumps share of frames at which the clock is set, by seconds to decades, either way
 * @param restarts share of frames at which the sequence starts again
 * @param outages share of frames before which the camera was away, for seconds to weeks
 * @param arrivals what is known of when the records arrived
 */
record FakeCamera(
    double fps,
    long jitterMicros,
    double loss,
    double duplicates,
    int disorder,
    double jumps,
    double restarts,
    double outages,
    Arrivals arrivals) {
  /** What a record says of the time at which it arrived. */
  enum Arrivals {
    UNKNOWN,
    /** The broker stamps it: true time, never backwards. */
    BROKER,
    /** All were sent at once. */
    BURST,
    /** The producer stamps it with whatever it likes. */
    NONSENSE
  }

  private static final long START = 1_700_000_000_000_000L;
  private static final double[] RATES = {0, 1, 2, 3, 5, 7, 10, 12, 15, 24, 25, 29.97, 30, 50, 60};

  static FakeCamera random(Random random) {
    double fps = RATES[random.nextInt(RATES.length)];
    return new FakeCamera(
        fps,
        random.nextBoolean() ? 0 : random.nextInt(150_000),
        random.nextBoolean() ? 0 : random.nextDouble() * 0.3,
        random.nextBoolean() ? 0 : random.nextDouble() * 0.3,
        random.nextBoolean() ? 0 : random.nextInt(20),
        random.nextInt(3) > 0 ? 0 : random.nextDouble() * 0.05,
        random.nextInt(3) > 0 ? 0 : random.nextDouble() * 0.05,
        random.nextInt(3) > 0 ? 0 : random.nextDouble() * 0.05,
        Arrivals.values()[random.nextInt(Arrivals.values().length)]);
  }

  /** Records in the order of their arrival. */
  List<Frame<Integer>> records(Random random, int count) {
    List<long[]> sent = new ArrayList<>(); // place in the order of arrival, sequence, times
    long time = START;
    long truth = START;
    long sequence = random.nextInt(5);
    for (int i = 0; i < count; i++) {
      double rate = fps == 0 ? 1 + 59 * random.nextDouble() : fps;
      long step = Math.round(1e6 / rate);
      if (i > 0 && random.nextDouble() < outages) {
        step += random.nextLong(1L << (20 + random.nextInt(20))); // at most 12 days
      }
      time += step;
      truth += step;
      if (i > 0 && random.nextDouble() < jumps) {
        time = jump(random, time);
      }
      sequence = i > 0 && random.nextDouble() < restarts ? random.nextInt(3) : sequence + 1;
      long jitter = jitterMicros == 0 ? 0 : random.nextLong(-jitterMicros, jitterMicros + 1);
      // The first frame anchors the grid: what it is late, all others are early.
      long captured = time + (i == 0 ? jitter / 2 : jitter);
      if (i == 0 || random.nextDouble() >= loss) {
        // The first frame comes first: it decides the grid.
        long late = i == 0 || disorder == 0 ? 0 : random.nextInt(disorder + 1);
        sent.add(new long[] {i + late, sequence, captured, truth});
        if (random.nextDouble() < duplicates) {
          sent.add(new long[] {i + late + random.nextInt(10), sequence, captured, truth});
        }
      }
    }
    sent.sort((a, b) -> Long.compare(a[0], b[0])); // stable
    List<Frame<Integer>> records = new ArrayList<>();
    long arrived = 0;
    for (long[] one : sent) {
      arrived = Math.max(arrived, one[3]);
      records.add(new Frame<>(one[1], one[2], arrival(random, arrived), records.size()));
    }
    return records;
  }

  private long arrival(Random random, long truth) {
    return switch (arrivals) {
      case UNKNOWN -> Frame.ARRIVAL_UNKNOWN;
      case BROKER -> truth;
      case BURST -> START;
      case NONSENSE -> random.nextInt(4) == 0 ? random.nextLong() : truth - random.nextLong(START);
    };
  }

  private static long jump(Random random, long time) {
    return switch (random.nextInt(5)) {
      case 0 -> time + random.nextLong(20_000_000);
      case 1 -> time + 3_600_000_000L;
      case 2 -> 2_145_916_800_000_000L + random.nextInt(1000); // 2038
      case 3 -> Math.max(0, time - random.nextLong(40_000_000));
      default -> random.nextInt(1_000_000); // 1970
    };
  }
}
