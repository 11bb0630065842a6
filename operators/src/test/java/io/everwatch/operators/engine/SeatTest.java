// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SeatTest {
  @Test
  void hearsNothingAfterItWasClosedInTheMiddleOfAStep() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      CountDownLatch inStep = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      engine.network.beforePrefill =
          prompts -> {
            inStep.countDown();
            await(goOn);
          };
      AtomicBoolean heard = new AtomicBoolean();
      Seat other = engine.engine.attach(results -> heard.set(true));
      other.submit(other.create("camera", TestEngine.settings()), TestEngine.chunk("camera", 0));
      await(inStep);
      CompletableFuture<Void> closing = CompletableFuture.runAsync(other::close);
      waitUntilClosed(other);
      assertThat(closing).isNotDone(); // it waits for the step
      goOn.countDown();
      assertThat(closing).succeedsWithin(Duration.ofSeconds(TestEngine.SECONDS));
      other.close(); // again: nothing happens
      engine.round(engine.create("mine"), 0);
      assertThat(heard).isFalse();
      assertThat(engine.engine.metrics().sessions()).isEqualTo(1);
      assertThatIllegalStateException()
          .isThrownBy(() -> other.create("late", TestEngine.settings()))
          .withMessageContaining("closed");
    }
  }

  /** Four rounds share a step and two are prepared beside. */
  @Test
  void placesAreSharedByTheNumberOfSessionsAndNoneIsLeftEmpty() {
    EngineOptions four = TestEngine.options().toBuilder().batchRounds(4).build();
    try (TestEngine engine = new TestEngine(200_000, four)) {
      Seat many = engine.seat;
      for (int i = 0; i < 8; i++) {
        engine.create("camera-" + i);
      }
      Seat few = engine.engine.attach(results -> {});
      few.create("one", TestEngine.settings());

      assertThat(many.hasPlace(5)).as("the sixth, while the other has nothing to do").isTrue();
      assertThat(many.hasPlace(6)).as("a seventh").isFalse();
      assertThat(few.hasPlace(0)).as("one of a stream among nine").isTrue();
      assertThat(few.hasPlace(1)).as("another one").isFalse();
      assertThat(many.hasPlace(5)).as("more than the part of eight streams among nine").isFalse();
      assertThat(many.hasPlace(4)).as("the part of eight streams among nine").isTrue();
      few.close();
      assertThat(many.hasPlace(5)).as("the sixth, alone").isTrue();
    }
  }

  @Test
  void aSnapshotWhoseRowsAreStillComingHoldsUpNobody() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      CountDownLatch copied = new CountDownLatch(1);
      StreamSession session = engine.create("camera");
      engine.round(session, 0);
      SessionSnapshot expected = engine.snapshot(session);
      engine.network.coming =
          rows ->
              () -> {
                await(copied);
                return rows.await();
              };

      CompletableFuture<SessionSnapshot> snapshot = engine.seat.snapshot(session);
      engine.round(session, 1);
      engine.round(session, 2);

      assertThat(snapshot).isNotDone();
      copied.countDown();
      assertThat(snapshot.get(TestEngine.SECONDS, TimeUnit.SECONDS).pieces())
          .usingElementComparator(Arrays::compare)
          .isEqualTo(expected.pieces());
    }
  }

  @Test
  void aSnapshotWhoseRowsDoNotComeFailsAlone() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      engine.round(session, 0);
      engine.network.coming =
          rows ->
              () -> {
                throw new DeviceException(Failure.REFUSED, "no page-locked memory");
              };
      assertThat(engine.seat.snapshot(session))
          .failsWithin(Duration.ofSeconds(TestEngine.SECONDS))
          .withThrowableThat()
          .withMessageContaining("no page-locked memory");
      engine.network.coming = rows -> rows;
      engine.round(session, 1);
      assertThat(engine.snapshot(session).rounds()).isEqualTo(2);
    }
  }

  @Test
  void takesOneRoundOfAStreamAtATime() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      CountDownLatch goOn = new CountDownLatch(1);
      engine.network.beforePrefill = prompts -> await(goOn);
      StreamSession session = engine.create("camera");
      engine.seat.submit(session, TestEngine.chunk("camera", 0));
      assertThatIllegalStateException()
          .isThrownBy(() -> engine.seat.submit(session, TestEngine.chunk("camera", 1)))
          .withMessageContaining("stream camera")
          .withMessageContaining("RUNNING");
      goOn.countDown();
      engine.next();
    }
  }

  @Test
  void waitsForTheRunningStepOnlySoLong() throws Exception {
    EngineOptions options =
        TestEngine.options().toBuilder().closeTimeout(Duration.ofMillis(20)).build();
    TestEngine engine = new TestEngine(1000, options);
    CountDownLatch inStep = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    engine.network.beforePrefill =
        prompts -> {
          inStep.countDown();
          await(goOn);
        };
    AtomicBoolean heard = new AtomicBoolean();
    Seat other = engine.engine.attach(results -> heard.set(true));
    other.submit(other.create("camera", TestEngine.settings()), TestEngine.chunk("camera", 0));
    await(inStep);
    other.close(); // comes back though the step hangs
    goOn.countDown();
    engine.round(engine.create("mine"), 0);
    assertThat(heard).isFalse();
    engine.close();
  }

  @Test
  void dropsTheResultOfAStreamThatIsReleasedWhileItRuns() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      CountDownLatch inStep = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      engine.network.beforePrefill =
          prompts -> {
            inStep.countDown();
            await(goOn);
          };
      StreamSession gone = engine.create("gone");
      StreamSession stays = engine.create("stays");
      engine.seat.submit(gone, TestEngine.chunk("gone", 0));
      await(inStep);
      engine.seat.release(gone);
      engine.seat.release(gone);
      engine.seat.submit(stays, TestEngine.chunk("stays", 0));
      goOn.countDown();
      assertThat(engine.next().session()).isSameAs(stays);
      engine.round(stays, 1);
      assertThat(engine.nothingCame()).isTrue();
      assertThat(engine.heard).containsOnlyKeys("stays");
      assertThat(engine.engine.metrics().sessions()).isEqualTo(1);
      assertThat(engine.seat.snapshot(gone))
          .failsWithin(Duration.ofSeconds(TestEngine.SECONDS))
          .withThrowableThat()
          .withMessageContaining("released");
    }
  }

  @Test
  void doesNotTouchTheStreamsOfAnother() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      List<RoundResult> theirs = new ArrayList<>();
      Seat other = engine.engine.attach(theirs::addAll);
      StreamSession mine = engine.create("camera");
      StreamSession same = other.create("camera", TestEngine.settings());
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.submit(mine, TestEngine.chunk("camera", 0)))
          .withMessageContaining("another seat");
      assertThatIllegalArgumentException().isThrownBy(() -> other.snapshot(mine));
      assertThatIllegalArgumentException().isThrownBy(() -> other.release(mine));
      engine.round(mine, 0);
      other.close();
      engine.round(mine, 1);
      assertThat(theirs).isEmpty();
      assertThat(same.rounds()).isZero();
      assertThat(mine.rounds()).isEqualTo(2);
    }
  }

  @Test
  void changesHowTokensAreChosenBetweenTwoRoundsOnly() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      engine.round(session, 0);
      CompletableFuture<SessionSnapshot> before = engine.seat.snapshot(session);
      engine.seat.resample(session, TestEngine.settings().withSeed(7));
      assertThat(session.settings().seed()).isEqualTo(7);
      assertThat(session.rounds()).isEqualTo(1);
      assertThat(before.get(TestEngine.SECONDS, TimeUnit.SECONDS).settings())
          .as("what a snapshot says is of the moment in which it was asked for")
          .isEqualTo(TestEngine.settings());
      assertThat(engine.snapshot(session).settings().seed()).isEqualTo(7);

      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> engine.seat.resample(session, TestEngine.settings().withInstruction("another")))
          .withMessageContaining("sampling only");
      CountDownLatch goOn = new CountDownLatch(1);
      engine.network.beforePrefill = prompts -> await(goOn);
      engine.seat.submit(session, TestEngine.chunk("camera", 1));
      assertThatIllegalStateException()
          .isThrownBy(() -> engine.seat.resample(session, TestEngine.settings()))
          .withMessageContaining("expected it to be idle");
      goOn.countDown();
      engine.next();
    }
  }

  @Test
  void refusesMoreRoundsThanItsQueueHolds() throws Exception {
    EngineOptions options = TestEngine.options().toBuilder().queueRounds(2).build();
    try (TestEngine engine = new TestEngine(1000, options)) {
      CountDownLatch goOn = new CountDownLatch(1);
      engine.network.beforePrefill = prompts -> await(goOn);
      List<StreamSession> sessions =
          List.of(engine.create("a"), engine.create("b"), engine.create("c"));
      engine.seat.submit(sessions.get(0), TestEngine.chunk("a", 0));
      engine.seat.submit(sessions.get(1), TestEngine.chunk("b", 0));
      assertThatIllegalStateException()
          .isThrownBy(() -> engine.seat.submit(sessions.get(2), TestEngine.chunk("c", 0)))
          .withMessageContaining("at most 2 (queueRounds)");
      goOn.countDown();
      engine.next();
      engine.next();
      engine.round(sessions.get(2), 0); // may be submitted again
    }
  }

  @Test
  void mayCloseItselfFromItsListener() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      LinkedBlockingQueue<RoundResult> heard = new LinkedBlockingQueue<>();
      Seat[] seat = new Seat[1];
      seat[0] =
          engine.engine.attach(
              results -> {
                seat[0].close();
                heard.addAll(results);
              });
      StreamSession session = seat[0].create("camera", TestEngine.settings());
      seat[0].submit(session, TestEngine.chunk("camera", 0));
      assertThat(heard.poll(TestEngine.SECONDS, TimeUnit.SECONDS)).isNotNull();
      engine.round(engine.create("mine"), 0);
      assertThat(engine.engine.metrics().sessions()).isEqualTo(1);
    }
  }

  @Test
  void savesWhileRoundsAreRunning() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      engine.round(session, 0);
      SessionSnapshot before = engine.snapshot(session);
      CountDownLatch inStep = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      engine.network.beforeDecode =
          ids -> {
            inStep.countDown();
            await(goOn);
          };
      engine.seat.submit(session, TestEngine.chunk("camera", 1));
      CompletableFuture<SessionSnapshot> during = engine.seat.snapshot(session, 1);
      goOn.countDown();
      engine.next();
      assertThat(during.get(TestEngine.SECONDS, TimeUnit.SECONDS).pieces())
          .usingElementComparator(Arrays::compare)
          .isEqualTo(before.pieces());
    }
  }

  @Test
  void refusesASnapshotOfAnotherModel() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      SessionSnapshot own = engine.snapshot(engine.create("camera"));
      SnapshotHeader header = own.header();
      SessionSnapshot other =
          SessionSnapshot.of(
              new SnapshotHeader(
                  header.streamId(),
                  "0".repeat(64),
                  header.numerics(),
                  header.rowType(),
                  header.rowElements(),
                  header.settings(),
                  header.committed(),
                  header.transcript()),
              own.rows(header.rowType()));
      assertThatExceptionOfType(CorruptSnapshotException.class)
          .isThrownBy(() -> engine.seat.restore(other))
          .withMessageContaining("stream camera")
          .withMessageContaining("0".repeat(64))
          .withMessageContaining("rebuild");
    }
  }

  @Test
  void leavesNoThreadAndNoRowWhenTheEngineIsClosedUnderLoad() throws Exception {
    Random random = new Random(8);
    for (int run = 0; run < 20; run++) {
      TestEngine engine = new TestEngine(2000, TestEngine.options());
      for (int s = 0; s < 30; s++) {
        engine.seat.submit(engine.create("camera-" + s), TestEngine.chunk("camera-" + s, 0));
      }
      for (int n = random.nextInt(10); n > 0; n--) {
        engine.next();
      }
      engine.close(); // checks rows and contexts
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("everwatch-"));
  }

  private static void waitUntilClosed(Seat seat) {
    long deadline = System.nanoTime() + Duration.ofSeconds(TestEngine.SECONDS).toNanos();
    while (System.nanoTime() < deadline) {
      try {
        seat.create("probe", TestEngine.settings());
        Thread.onSpinWait();
      } catch (IllegalStateException closed) {
        return;
      }
    }
    throw new AssertionError("the seat was not closed in time");
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(TestEngine.SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("nobody went on");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
