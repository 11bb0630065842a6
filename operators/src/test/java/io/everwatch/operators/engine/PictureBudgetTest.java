// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Prepared pictures are bounded: rounds wait for room, and say the same. */
@Timeout(60)
class PictureBudgetTest {
  @Test
  void roundsThatWaitForRoomSayTheSame() throws Exception {
    assertThat(texts(1)).isEqualTo(texts(1L << 30));
  }

  private static Map<String, List<String>> texts(long pictureBytes) throws Exception {
    Map<String, List<String>> texts = new TreeMap<>();
    try (TestEngine test = engine(pictureBytes)) {
      List<StreamSession> sessions = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        sessions.add(test.create("stream-" + i));
      }
      for (long chunk = 0; chunk < 3; chunk++) {
        for (StreamSession session : sessions) {
          test.seat.submit(session, TestEngine.chunk(session.streamId(), chunk));
        }
        for (StreamSession session : sessions) {
          assertThat(session).isNotNull();
          test.next();
        }
      }
      assertThat(test.engine.heldPictureBytes()).isZero();
      for (StreamSession session : sessions) {
        texts.put(session.streamId(), test.texts(session.streamId()));
      }
    }
    return texts;
  }

  @Test
  void roundsHoldWhatTheirPicturesTakeOnceThatIsKnown() throws Exception {
    PictureBudget budget = new PictureBudget(100 << 10);
    int taken = budget.take(80 << 10);

    int held = budget.shrink(taken, (20 << 10) + 1);

    assertThat(budget.heldBytes()).isEqualTo(21 << 10); // whole units
    assertThat(budget.shrink(held, 1 << 30)).as("never more than was taken").isEqualTo(held);
    budget.giveBack(held);
    assertThat(budget.heldBytes()).isZero();
  }

  @Test
  void roundsOfReleasedSessionsGiveTheirRoomBack() throws Exception {
    try (TestEngine test = engine(1)) { // one round at a time
      Semaphore steps = new Semaphore(0);
      test.network.beforePrefill = ids -> steps.acquireUninterruptibly();
      StreamSession running = test.create("running");
      StreamSession waiting = test.create("waiting");
      StreamSession last = test.create("last");
      test.seat.submit(running, TestEngine.chunk("running", 0));
      test.seat.submit(waiting, TestEngine.chunk("waiting", 0));
      test.seat.submit(last, TestEngine.chunk("last", 0));
      test.seat.release(waiting);
      steps.release(100);

      assertThat(List.of(test.next(), test.next()))
          .extracting(result -> result.session().streamId())
          .containsExactlyInAnyOrder("running", "last");
      assertThat(test.engine.heldPictureBytes()).isZero();
    }
  }

  private static TestEngine engine(long pictureBytes) {
    return new TestEngine(
        200_000, TestEngine.options().toBuilder().pictureBytes(pictureBytes).build());
  }
}
