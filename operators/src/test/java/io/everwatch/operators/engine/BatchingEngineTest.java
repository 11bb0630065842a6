// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.engine.RoundResult.Silent;
import io.everwatch.operators.engine.RoundResult.Spoke;
import io.everwatch.operators.engine.RoundResult.StopReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class BatchingEngineTest {
  private static final int CHUNKS = 24;

  /** Texts and snapshot of each stream after {@link #CHUNKS} rounds, run alone. */
  private static Map<String, Run> alone(int streams) throws Exception {
    Map<String, Run> runs = new HashMap<>();
    for (int s = 0; s < streams; s++) {
      try (TestEngine engine = new TestEngine()) {
        StreamSession session = engine.create("camera-" + s);
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
          engine.round(session, chunk);
        }
        runs.put(
            session.streamId(),
            new Run(engine.texts(session.streamId()), engine.snapshot(session)));
      }
    }
    return runs;
  }

  private record Run(List<String> texts, SessionSnapshot snapshot) {
    void requireSame(Run other, String name) {
      assertThat(other.texts).as("texts of %s", name).isEqualTo(texts);
      assertThat(other.snapshot.pieces())
          .as("snapshot of %s", name)
          .usingElementComparator(Arrays::compare)
          .isEqualTo(snapshot.pieces());
    }
  }

  @Test
  void speaksKeepsSilentAndStopsAtTheLimit() throws Exception {
    List<RoundResult> all = new ArrayList<>();
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      for (int chunk = 0; chunk < 80; chunk++) {
        all.add(engine.round(session, chunk));
        assertThat(session.rounds()).isEqualTo(chunk + 1);
      }
    }
    assertThat(all).allMatch(result -> result.round() >= 0 && result.badFrames().isEmpty());
    assertThat(all).anyMatch(r -> r.outcome() instanceof Silent);
    assertThat(all)
        .anyMatch(r -> r.outcome() instanceof Spoke s && s.stop() == StopReason.END_OF_TURN)
        .anyMatch(
            r ->
                r.outcome() instanceof Spoke s
                    && s.stop() == StopReason.MAX_NEW_TOKENS
                    && s.tokens() == TestEngine.settings().maxNewTokens());
    assertThat(all)
        .filteredOn(r -> r.outcome() instanceof Spoke)
        .allMatch(r -> ((Spoke) r.outcome()).text().startsWith(" w"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8, 64})
  void computesTheSameBitsInAnyCompany(int streams) throws Exception {
    Map<String, Run> alone = alone(Math.min(streams, 9));
    long seed = 1000L + streams;
    Random random = new Random(seed);
    EngineOptions options =
        TestEngine.options().toBuilder().workers(3).batchRounds(1 + random.nextInt(64)).build();
    try (TestEngine engine = new TestEngine(200_000, options)) {
      List<StreamSession> sessions =
          IntStream.range(0, streams).mapToObj(s -> engine.create("camera-" + s)).toList();
      interleave(engine, sessions, random);
      for (StreamSession session : sessions) {
        Run run = new Run(engine.texts(session.streamId()), engine.snapshot(session));
        assertThat(run.texts()).hasSize(CHUNKS);
        if (alone.containsKey(session.streamId())) {
          TestEngine.of(alone, session.streamId())
              .requireSame(run, session.streamId() + ", seed " + seed);
        }
      }
      assertThat(engine.network.largestBatch).isGreaterThan(1);
    }
  }

  /** All streams to the end, the next to go chosen at random whenever a result comes. */
  private static void interleave(TestEngine engine, List<StreamSession> sessions, Random random)
      throws Exception {
    Map<StreamSession, Long> next = new HashMap<>();
    List<StreamSession> idle = new ArrayList<>(sessions);
    int left = sessions.size() * CHUNKS;
    int running = 0;
    while (left > 0) {
      while (!idle.isEmpty() && (running == 0 || random.nextInt(4) > 0)) {
        StreamSession session = idle.remove(random.nextInt(idle.size()));
        long chunk = next.merge(session, 1L, Long::sum) - 1;
        engine.seat.submit(session, TestEngine.chunk(session.streamId(), chunk));
        running++;
      }
      StreamSession done = engine.next().session();
      running--;
      left--;
      if (TestEngine.of(next, done) < CHUNKS) {
        idle.add(done);
      }
    }
  }

  @Test
  void goesOnAfterARestoreAsIfItHadNeverStopped() throws Exception {
    Run whole = TestEngine.of(alone(1), "camera-0");
    for (int stop = 0; stop < CHUNKS; stop++) {
      List<byte[]> pieces;
      List<String> texts = new ArrayList<>();
      try (TestEngine engine = new TestEngine()) {
        StreamSession session = engine.create("camera-0");
        for (int chunk = 0; chunk < stop; chunk++) {
          texts.add(TestEngine.text(engine.round(session, chunk)));
        }
        pieces = engine.snapshot(session).pieces();
      }
      try (TestEngine engine = new TestEngine()) {
        StreamSession session = engine.seat.restore(SessionSnapshot.ofPieces(pieces));
        assertThat(session.rounds()).isEqualTo(stop);
        assertThat(engine.snapshot(session).pieces())
            .usingElementComparator(Arrays::compare)
            .isEqualTo(pieces);
        for (int chunk = stop; chunk < CHUNKS; chunk++) {
          texts.add(TestEngine.text(engine.round(session, chunk)));
        }
        whole.requireSame(new Run(texts, engine.snapshot(session)), "stopped at " + stop);
      }
    }
  }

  @Test
  void savesTheStateBeforeTheLastRoundUntilTheNextIsSubmitted() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      for (int chunk = 0; chunk < 12; chunk++) {
        SessionSnapshot before = engine.snapshot(session);
        engine.round(session, chunk);
        assertThat(engine.seat.snapshot(session, chunk).get().pieces())
            .usingElementComparator(Arrays::compare)
            .isEqualTo(before.pieces());
        assertThat(engine.seat.snapshot(session, chunk + 1).get().rounds()).isEqualTo(chunk + 1);
      }
      assertThat(engine.seat.snapshot(session, 3))
          .failsWithin(java.time.Duration.ofSeconds(TestEngine.SECONDS))
          .withThrowableThat()
          .withRootCauseInstanceOf(IllegalArgumentException.class)
          .withMessageContaining("state after 3");
    }
  }

  @Test
  void staysBoundedOverThousandsOfRounds() throws Exception {
    int limit = 0;
    try (TestEngine engine = new TestEngine(400, TestEngine.options())) {
      StreamSession session = engine.create("camera");
      for (int chunk = 0; chunk < 3_000; chunk++) {
        RoundResult result = engine.round(session, chunk);
        assertThat(result.outcome()).isNotInstanceOf(Failed.class);
        if (chunk == 300) {
          limit = engine.engine.metrics().rowsUsed();
        }
        assertThat(result.contextRows()).isLessThan(150);
        assertThat(session.memory().rows()).isLessThan(160);
      }
      assertThat(engine.engine.metrics().rowsUsed()).isLessThan(2 * limit);
      assertThat(engine.engine.metrics().rounds()).isEqualTo(3_000);
    }
  }

  @Test
  void givesBackTheRowsOfAReleasedStream() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession stays = engine.create("stays");
      StreamSession goes = engine.create("goes");
      engine.round(stays, 0);
      engine.round(goes, 0);
      engine.seat.release(goes);
      engine.round(stays, 1); // the release was a command before it
      int withOne = engine.engine.metrics().rowsUsed();
      assertThat(withOne).isLessThan(2 * stays.memory().rows() + 10);
      assertThat(engine.engine.metrics().sessions()).isEqualTo(1);
      assertThatIllegalStateException()
          .isThrownBy(() -> engine.seat.submit(goes, TestEngine.chunk("goes", 1)))
          .withMessageContaining("RELEASED");
    }
  }
}
