// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.cli.Everwatch;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A job with {@code overload: merge} that was away while its camera went on. */
@Timeout(240)
class CatchingUpITCase {
  private static final String STREAM = "road";

  /** Chunks before the outage, and in it. */
  private static final int BEFORE = 2;

  private static final int MISSED = 20;

  @TempDir private Path dir;

  @Test
  void aJobThatWasAwayCatchesUpAndItsTextFollowsFromFramesAndRecord() throws Exception {
    try (House house = new House(dir);
        RoadFrames road = new RoadFrames(STREAM, 7, Encoding.JPEG)) {
      List<FrameEvent> frames =
          IntStream.range(0, 2 * (BEFORE + MISSED)).mapToObj(i -> road.next().build()).toList();
      try (LocalJob job = house.start(house.config(), Optional.empty())) {
        send(house, frames.subList(0, 2 * BEFORE));
        house.committedUntil(texts -> texts.size() >= BEFORE);
      }
      Path checkpoint = Checkpoints.newest(house.checkpoints()).orElseThrow();
      house.takeProducersTimes(); // of long ago
      for (FrameEvent frame : frames.subList(2 * BEFORE, frames.size())) {
        house.sendAt(0, frame);
      }
      house.sendAt(0, road.end());
      List<TextEvent> events;
      try (LocalJob job =
          house.start(
              house.config("parallelism", "1", "overload", "merge"), Optional.of(checkpoint))) {
        events =
            house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == 1).stream()
                .map(ReceivedText::event)
                .toList();
      }

      assertThat(events)
          .extracting(TextEvent::getChunk)
          .isEqualTo(LongStream.rangeClosed(0, BEFORE + MISSED).boxed().toList());
      List<MergedRange> rounds =
          events.stream().map(TextEvent::getMerged).filter(Objects::nonNull).distinct().toList();
      assertThat(rounds).as("rounds of several chunks").isNotEmpty();
      assertThat(rounds)
          .allMatch(round -> round.getLastChunk() - round.getFirstChunk() < 8)
          .anyMatch(round -> round.getLastChunk() - round.getFirstChunk() == 7);
      assertThat(ran(house, "audit", "--frames")).contains("clean", "0 in gaps, 0 unexplained");
      assertThat(ran(house, "replay", "--checkpoint", checkpoint.toString(), "--stream", STREAM))
          .contains("%1$d of %1$d events are equal".formatted(MISSED + 1));
    }
  }

  private static void send(House house, List<FrameEvent> frames) throws Exception {
    for (FrameEvent frame : frames) {
      house.send(0, frame);
    }
  }

  private static String ran(House house, String... words) {
    StringWriter out = new StringWriter();
    Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(out))
        .execute(
            Stream.concat(Arrays.stream(words), Stream.of("--brokers", house.address()))
                .toArray(String[]::new));
    return out.toString();
  }
}
