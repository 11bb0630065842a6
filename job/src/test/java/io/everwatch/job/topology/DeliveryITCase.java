// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.process.Await;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.TextReaderOptions.FromBeginning;
import io.everwatch.schemas.WireFormat;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.core.execution.SavepointFormatType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Committed text is that of an uninterrupted run, whatever became of transactions in an outage. A
 * savepoint of a running job is a complete checkpoint whose transactions are not committed yet, as
 * a crash right after a checkpoint leaves them.
 */
@Timeout(180)
class DeliveryITCase {
  private static final Map<String, Long> SEEDS =
      Map.of("north", 7L, "south", 8L, "east", 9L, "west", 10L);
  private static final List<String> STREAMS = List.of("east", "north", "south", "west");
  private static final int SECONDS = 5;
  private static final int BEFORE = 2; // seconds said before the job goes down
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Far less than the ten minutes for which the broker keeps a transaction open. */
  private static final Duration SOON = Duration.ofSeconds(20);

  /** End of transactional ids that no run uses by itself: it has two or three per subtask. */
  private static final String LEFT = "-9";

  private static final Map<String, List<String>> UNINTERRUPTED = new LinkedHashMap<>();

  @TempDir private Path dir;
  private House house;
  private Transactions transactions;
  private final Map<String, RoadFrames> cameras = new LinkedHashMap<>();

  @BeforeAll
  static void runWithoutInterruption(@TempDir Path other) throws Exception {
    DeliveryITCase test = new DeliveryITCase();
    test.dir = other;
    test.open();
    try {
      test.send(SECONDS);
      test.sendEnds();
      try (LocalJob job = test.house.start(test.config(2), Optional.empty())) {
        test.liveUntil(STREAMS.size() * (SECONDS + 1));
        test.savepoint(job);
      }
      for (String stream : STREAMS) {
        UNINTERRUPTED.put(stream, test.bytes(stream, "read_uncommitted"));
      }
    } finally {
      test.close();
    }
  }

  @BeforeEach
  void open() throws Exception {
    house = new House(dir);
    transactions = new Transactions(house.client());
    for (String stream : STREAMS) {
      cameras.put(stream, new RoadFrames(stream, requireNonNull(SEEDS.get(stream)), Encoding.PNG));
    }
  }

  @AfterEach
  void close() {
    cameras.values().forEach(RoadFrames::close);
    transactions.close();
    house.close();
  }

  @Test
  void textWhoseTransactionWasAbortedInTheOutageIsWrittenAgain() throws Exception {
    Path complete = sayAndGoDown(2);
    Set<String> open = transactions.open();
    assertThat(open).isNotEmpty();
    transactions.abort(open);

    goOn(2, complete);

    assertCommittedIsUninterrupted();
  }

  @Test
  void textWhoseTransactionIsStillOpenIsCommittedAndNotWrittenAgain() throws Exception {
    Path complete = sayAndGoDown(2);

    goOn(1, complete);

    assertCommittedIsUninterrupted();
    for (String stream : STREAMS) {
      assertThat(bytes(stream, "read_uncommitted")).as(stream).doesNotHaveDuplicates();
    }
  }

  @Test
  void anAbortUnderTheRunningJobMakesItStartAgainAndLosesNothing() throws Exception {
    EverwatchConfig config = config(2).with("checkpoint.interval", "5 s", "test");
    try (LocalJob job = house.start(config, Optional.empty())) {
      awaitFirstCheckpoint();
      send(BEFORE);
      liveUntil(STREAMS.size() * BEFORE);
      savepoint(job); // written, and not committed before the next checkpoint is complete
      Set<String> open = transactions.open();
      assertThat(open).isNotEmpty();
      transactions.abort(open);
      send(SECONDS - BEFORE);
      sendEnds();
      house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == STREAMS.size());
    }
    assertCommittedIsUninterrupted();
  }

  @Test
  void whatALaterTransactionLeftOpenUnderTheSameIdHidesNothing() throws Exception {
    Path complete = sayAndGoDown(2);
    for (String id : transactions.open()) { // the crash came after the id was used again
      transactions.crash(id, "north", house.bytes("north", "read_uncommitted"));
    }

    goOn(2, complete);

    assertCommittedIsUninterrupted();
    transactions.untilReadable(SOON);
  }

  @Test
  void noTransactionOfAnEarlierParallelismHidesText() throws Exception {
    Path complete = sayAndGoDown(4);
    crashEach(4);
    send(1);
    try (LocalJob job = house.start(house.config("parallelism", "1"), Optional.of(complete))) {
      house.committedUntil(texts -> texts.size() == STREAMS.size() * (BEFORE + 1));
      assertThat(transactions.untilReadable(SOON)).isLessThan(SOON);
      assertThat(transactions.open()).noneMatch(id -> id.endsWith(LEFT));
    }
    crashEach(4);
    Path newest = Checkpoints.newest(house.checkpoints()).orElseThrow();
    send(SECONDS - BEFORE - 1);
    sendEnds();
    try (LocalJob job = house.start(house.config("parallelism", "2"), Optional.of(newest))) {
      house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == STREAMS.size());
      assertThat(transactions.untilReadable(SOON)).isLessThan(SOON);
      assertThat(transactions.open()).noneMatch(id -> id.endsWith(LEFT));
    }
    assertCommittedIsUninterrupted();
  }

  /** Each subtask's process dies with text in an open transaction that no checkpoint knows. */
  private void crashEach(int parallelism) throws Exception {
    for (int i = 0; i < parallelism; i++) {
      transactions.crash("everwatch-text-" + i + LEFT, "east", List.of(new byte[] {(byte) i}));
    }
  }

  @Test
  void aTopicMadeAnewGetsWhatWasNotConfirmed() throws Exception {
    Path complete = sayAndGoDown(2);
    transactions.makeTopicAnew();

    goOn(2, complete);

    assertCommittedIsUninterrupted();
  }

  @Test
  void atLeastOnceLosesNothingAndALiveReaderSeesWhatExactlyOnceWrites() throws Exception {
    EverwatchConfig atLeastOnce = config(2).with("delivery", "at-least-once", "test");
    Path complete;
    send(1);
    try (LocalJob job = house.start(atLeastOnce, Optional.empty())) {
      liveUntil(STREAMS.size());
      complete = savepoint(job);
      send(1);
      liveUntil(2 * STREAMS.size());
    }
    send(SECONDS - 2);
    sendEnds();
    try (LocalJob job = house.start(atLeastOnce, Optional.of(complete))) {
      liveUntil(STREAMS.size() * (SECONDS + 1));
    }
    for (String stream : STREAMS) {
      List<String> written = bytes(stream, "read_uncommitted");
      assertThat(written).as("said again after the failure").hasSizeGreaterThan(SECONDS + 1);
      assertThat(written.stream().distinct())
          .as(stream)
          .containsExactlyElementsOf(requireNonNull(UNINTERRUPTED.get(stream)));
      assertThat(live(stream)).isEqualTo(requireNonNull(UNINTERRUPTED.get(stream)));
    }
  }

  /** What a live reader that was there from the beginning has of a stream. */
  private List<String> live(String stream) {
    return EverwatchTopologyITCase.text(
        liveUntil(STREAMS.size() * (SECONDS + 1)).stream()
            .filter(text -> text.event().getStreamId().equals(stream))
            .map(text -> WireFormat.encode(text.event()))
            .toList());
  }

  private void assertCommittedIsUninterrupted() {
    for (String stream : STREAMS) {
      assertThat(bytes(stream, "read_committed"))
          .as(stream)
          .isEqualTo(requireNonNull(UNINTERRUPTED.get(stream)));
    }
  }

  /** A job says the first seconds; a checkpoint has them, then it is gone without committing. */
  private Path sayAndGoDown(int parallelism) throws Exception {
    try (LocalJob job = house.start(config(parallelism), Optional.empty())) {
      awaitFirstCheckpoint();
      send(BEFORE);
      liveUntil(STREAMS.size() * BEFORE);
      return savepoint(job);
    }
  }

  /** Flink makes one as soon as all runs; what is said later is not in it. */
  private void awaitFirstCheckpoint() throws Exception {
    Await.until(
        "the first checkpoint",
        LIMIT,
        () -> Checkpoints.newest(house.checkpoints()).isPresent(),
        () -> house.checkpoints().toString());
  }

  private void goOn(int parallelism, Path checkpoint) throws Exception {
    send(SECONDS - BEFORE);
    sendEnds();
    try (LocalJob job =
        house.start(
            house.config("parallelism", Integer.toString(parallelism)), Optional.of(checkpoint))) {
      house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == STREAMS.size());
    }
  }

  /** No checkpoint but those that are asked for. */
  private EverwatchConfig config(int parallelism) {
    return house
        .config(
            "kafka.transaction.timeout.ms", "600000", "parallelism", Integer.toString(parallelism))
        .with("checkpoint.interval", "1 h", "test");
  }

  private Path savepoint(LocalJob job) throws Exception {
    String path =
        job.client()
            .triggerSavepoint(
                Checkpoints.uri(dir.resolve("savepoints")), SavepointFormatType.NATIVE)
            .get();
    return Path.of(path.replaceFirst("^file:", ""));
  }

  private void send(int seconds) throws Exception {
    for (int i = 0; i < 2 * seconds; i++) {
      for (String stream : STREAMS) {
        house.send(STREAMS.indexOf(stream) % 2, requireNonNull(cameras.get(stream)).next().build());
      }
    }
  }

  private void sendEnds() throws Exception {
    for (String stream : STREAMS) {
      house.send(STREAMS.indexOf(stream) % 2, requireNonNull(cameras.get(stream)).end());
    }
  }

  /** So many different events, as a live reader sees them. */
  private List<ReceivedText> liveUntil(int count) {
    List<ReceivedText> all = new ArrayList<>();
    Instant deadline = Instant.now().plus(LIMIT);
    try (TextEventReader reader =
        TextEventReader.open(
            TextReaderOptions.of(house.address(), TopicNames.TEXT).start(new FromBeginning()))) {
      while (all.size() < count) {
        assertThat(Instant.now()).as("only %s", all).isBefore(deadline);
        all.addAll(reader.poll(Duration.ofMillis(200)));
      }
    }
    return all;
  }

  private List<String> bytes(String stream, String isolation) {
    return EverwatchTopologyITCase.text(house.bytes(stream, isolation));
  }
}
