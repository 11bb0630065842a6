// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares the offset of each record that a reader gets with the one that is due: records that
 * retention removed before they were read are counted and named. The consumer itself goes on with
 * the oldest record that is there, and says so at INFO only.
 *
 * <p>Belongs to one source reader, whose thread alone calls it. Travels with the job; what it knows
 * does not: the offsets to begin with come from the splits.
 */
final class OffsetWatch implements Serializable {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(OffsetWatch.class);

  /** A transaction of a producer ends with a marker that has an offset and is no record. */
  private static final long MARKER = 1;

  private transient @Nullable Map<TopicPartition, Long> due;
  private transient @Nullable Counter lost;

  /** Counts here from now on. */
  void count(Counter counter) {
    lost = counter;
  }

  /** The reader begins with this offset of a partition; one below 0 is a place, not an offset. */
  void begin(TopicPartition partition, long offset) {
    if (offset >= 0) {
      due().put(partition, offset);
    }
  }

  /** The reader got a record. */
  void got(TopicPartition partition, long offset) {
    Long expected = due().put(partition, offset + 1);
    if (expected == null || offset == expected) {
      return;
    }
    if (offset < expected) {
      LOG.warn(
          "{} goes on with offset {}, where {} was due; expected offsets to increase; was the topic"
              + " made anew, or did its leader lose records?",
          partition,
          offset,
          expected);
    } else if (offset - expected > MARKER) {
      counter().inc(offset - expected);
      LOG.warn(
          "{}: {} records, offsets {} to {}, are gone before they were read; expected them to be kept"
              + " until then; each of their streams goes on with a GAP; raise the retention of the"
              + " topic above the longest outage and lag",
          partition,
          offset - expected,
          expected,
          offset - 1);
    }
  }

  private Map<TopicPartition, Long> due() {
    Map<TopicPartition, Long> known = due;
    if (known == null) {
      known = new HashMap<>();
      due = known;
    }
    return known;
  }

  private Counter counter() {
    Counter known = lost;
    if (known == null) {
      known = new SimpleCounter();
      lost = known;
    }
    return known;
  }
}
