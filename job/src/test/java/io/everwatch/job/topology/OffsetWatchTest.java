// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.StartFrom;
import java.io.IOException;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.util.InstantiationUtil;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OffsetWatchTest {
  private static final TopicPartition FIRST = new TopicPartition("frames", 0);
  private static final TopicPartition SECOND = new TopicPartition("frames", 1);

  private final OffsetWatch watch = new OffsetWatch();
  private final SimpleCounter lost = new SimpleCounter();

  @Test
  void countsRecordsThatWereGoneBeforeTheFirstWasRead() {
    watch.count(lost);
    watch.begin(FIRST, 7);
    watch.begin(SECOND, 100);
    watch.got(FIRST, 27);
    watch.got(SECOND, 100);
    watch.got(FIRST, 28);

    assertThat(lost.getCount()).isEqualTo(20);
  }

  @Test
  void countsRecordsThatWentWhileTheReaderLagged() {
    watch.count(lost);
    watch.got(FIRST, 5); // begun at a place, not an offset: what came before is not its business
    watch.got(FIRST, 6);
    watch.got(FIRST, 1007);

    assertThat(lost.getCount()).isEqualTo(1000);
  }

  @Test
  void takesAnOffsetForTheMarkerOfATransaction() {
    watch.count(lost);
    watch.begin(FIRST, 0);
    watch.got(FIRST, 1);
    watch.got(FIRST, 3);

    assertThat(lost.getCount()).isZero();
  }

  @Test
  void goesOnWhereATopicBeginsAnew() {
    watch.count(lost);
    watch.begin(FIRST, 500);
    watch.got(FIRST, 0);
    watch.got(FIRST, 3);

    assertThat(lost.getCount()).isEqualTo(2);
  }

  @Test
  void knowsNothingOfPlacesThatAreNoOffsets() {
    watch.count(lost);
    watch.begin(FIRST, -1);
    watch.got(FIRST, 44);

    assertThat(lost.getCount()).isZero();
  }

  @Test
  void travelsWithTheJob() throws IOException, ClassNotFoundException {
    watch.count(lost);
    watch.got(FIRST, 3);
    OffsetWatch copy = InstantiationUtil.clone(watch);
    copy.got(FIRST, 99);

    assertThat(lost.getCount()).isZero();
  }

  @ParameterizedTest
  @EnumSource(StartFrom.class)
  @SuppressWarnings("deprecation") // the connector takes no other type
  void aJobWhosePlaceIsGoneGoesOnWithTheOldestRecord(StartFrom start) {
    assertThat(StartOffsets.of(start).getAutoOffsetResetStrategy())
        .isEqualTo(OffsetResetStrategy.EARLIEST);
  }
}
