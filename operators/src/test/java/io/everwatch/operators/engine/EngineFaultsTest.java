// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.model.BadFrameException.Reason;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong stays with the stream or the round to which it belongs. */
@Timeout(120)
class EngineFaultsTest {
  private static final int CHUNKS = 15;

  private static DeviceException refused() {
    return new DeviceException(Failure.REFUSED, "no memory left on the test's device");
  }

  /** Texts and snapshot of a stream that had no trouble. */
  private static List<Object> undisturbed(String stream) throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create(stream);
      for (int chunk = 0; chunk < CHUNKS; chunk++) {
        engine.round(session, chunk);
      }
      return all(engine, session);
    }
  }

  private static List<Object> all(TestEngine engine, StreamSession session) throws Exception {
    List<Object> all = new ArrayList<>(engine.texts(session.streamId()));
    engine.snapshot(session).pieces().forEach(piece -> all.add(Arrays.hashCode(piece)));
    return all;
  }

  /** Runs streams side by side, each chunk in one batch if the engine wants. */
  private static void together(TestEngine engine, List<StreamSession> sessions) throws Exception {
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      for (StreamSession session : sessions) {
        engine.seat.submit(session, TestEngine.chunk(session.streamId(), chunk));
      }
      for (int i = 0; i < sessions.size(); i++) {
        engine.next();
      }
    }
  }

  @Test
  void aBatchThatIsRefusedIsTriedOneByOneAndNobodyNotices() throws Exception {
    Random random = new Random(3);
    AtomicInteger refusals = new AtomicInteger();
    try (TestEngine engine = new TestEngine()) {
      engine.network.beforePrefill =
          prompts -> {
            if (prompts.size() > 1 && random.nextInt(3) == 0) {
              refusals.incrementAndGet();
              throw refused();
            }
          };
      engine.network.beforeDecode =
          ids -> {
            if (ids.length > 1 && random.nextInt(8) == 0) {
              refusals.incrementAndGet();
              throw refused();
            }
          };
      List<StreamSession> sessions =
          List.of(engine.create("a"), engine.create("b"), engine.create("c"));
      together(engine, sessions);
      assertThat(refusals.get()).isPositive();
      for (StreamSession session : sessions) {
        assertThat(all(engine, session)).isEqualTo(undisturbed(session.streamId()));
      }
    }
  }

  @Test
  void aRoundThatIsRefusedAloneFailsAndItsStreamGoesOnFromWhereItWas() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      List<StreamSession> sessions =
          List.of(engine.create("good"), engine.create("ill"), engine.create("fine"));
      StreamSession ill = sessions.get(1);
      together(engine, sessions);
      SessionSnapshot before = engine.snapshot(ill);
      int[] marker = {0, 0};
      engine.network.beforePrefill =
          prompts -> {
            if (prompts.stream().anyMatch(ids -> contains(ids, 10 + 5, 10 + 7))) { // chunk 75
              marker[prompts.size() == 1 ? 0 : 1]++;
              throw refused();
            }
          };
      engine.seat.submit(ill, TestEngine.chunk("ill", 75));
      RoundResult failed = engine.next();
      assertThat(failed.outcome()).isInstanceOf(Failed.class);
      assertThat(((Failed) failed.outcome()).reason()).contains("no memory left");
      assertThat(failed.round()).isEqualTo(-1);
      assertThat(marker[0]).isPositive();
      assertThat(engine.snapshot(ill).pieces())
          .usingElementComparator(Arrays::compare)
          .isEqualTo(before.pieces());
      assertThat(engine.round(ill, 76).round()).isEqualTo(CHUNKS);
      assertThat(engine.engine.metrics().failedRounds()).isEqualTo(1);
      for (String stream : List.of("good", "fine")) {
        StreamSession session = sessions.get(stream.equals("good") ? 0 : 2);
        assertThat(all(engine, session)).isEqualTo(undisturbed(stream));
      }
    }
  }

  private static boolean contains(int[] ids, int first, int second) {
    for (int i = 0; i + 1 < ids.length; i++) {
      if (ids[i] == first && ids[i + 1] == second) {
        return true;
      }
    }
    return false;
  }

  @Test
  void aBadFrameIsReplacedByTheGoodOneBeforeIt() throws Exception {
    EncodedFrame first = TestEngine.frame("camera", 0, 0);
    EncodedFrame second = TestEngine.frame("camera", 0, 1);
    EncodedFrame cut = new EncodedFrame(Encoding.PNG, 0, 0, new byte[] {(byte) 0x89, 'P', 'N'});
    EncodedFrame empty = new EncodedFrame(Encoding.JPEG, 0, 0, new byte[0]);
    assertThat(sees(List.of(first, cut))).isEqualTo(sees(List.of(first, first)));
    assertThat(sees(List.of(cut, second))).isEqualTo(sees(List.of(second, second)));
    assertThat(sees(List.of(cut, empty, first, cut, second, empty)))
        .isEqualTo(sees(List.of(first, first, first, first, second, second)))
        .isNotEqualTo(sees(List.of(first, first, first, second, second, second)));
  }

  private static List<Object> sees(List<EncodedFrame> frames) throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      engine.round(session, new RoundInput(0, frames, false));
      return all(engine, session);
    }
  }

  @Test
  void badFramesAreNamedWithTheirReasons() throws Exception {
    EncodedFrame good = TestEngine.frame("camera", 0, 0);
    EncodedFrame empty = new EncodedFrame(Encoding.JPEG, 0, 0, new byte[0]);
    EncodedFrame wide = new EncodedFrame(Encoding.RGB24, 402, 2, new byte[402 * 2 * 3]);
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      RoundResult result =
          engine.round(session, new RoundInput(0, List.of(empty, good, wide, empty), false));
      assertThat(result.badFrames())
          .extracting(RoundResult.BadFrame::index, RoundResult.BadFrame::reason)
          .containsExactly(
              org.assertj.core.groups.Tuple.tuple(0, Reason.EMPTY),
              org.assertj.core.groups.Tuple.tuple(2, Reason.ASPECT_RATIO),
              org.assertj.core.groups.Tuple.tuple(3, Reason.EMPTY));
      assertThat(engine.engine.metrics().badFrames()).isEqualTo(3);

      RoundResult none = engine.round(session, new RoundInput(1, List.of(empty, wide), false));
      assertThat(none.badFrames()).hasSize(2);
      assertThat(((Failed) none.outcome()).reason()).contains("none of the 2 frames of chunk 1");
      assertThat(session.rounds()).isEqualTo(1);
      assertThat(engine.round(session, 2).round()).isEqualTo(1);
    }
  }

  @Test
  void aCameraMayChangeItsResolutionInMidStreamAndInMidChunk() throws Exception {
    try (TestEngine engine = new TestEngine()) {
      StreamSession session = engine.create("camera");
      int[][] sizes = {{28, 28}, {56, 28}, {28, 56}, {60, 30}, {28, 28}};
      for (int chunk = 0; chunk < 25; chunk++) {
        int[] size = sizes[chunk % 5];
        int[] other = sizes[(chunk / 5) % 5];
        RoundInput input =
            new RoundInput(chunk, List.of(picture(size, chunk), picture(other, chunk)), false);
        assertThat(engine.round(session, input).outcome()).isNotInstanceOf(Failed.class);
      }
    }
  }

  private static EncodedFrame picture(int[] size, int seed) {
    byte[] pixels = new byte[size[0] * size[1] * 3];
    new Random(seed).nextBytes(pixels);
    return new EncodedFrame(Encoding.RGB24, size[0], size[1], pixels);
  }

  @Test
  void idleStreamsMakeRoomWhenThePoolIsFullAndComeBackUnchanged() throws Exception {
    // about two streams' worth: each round finds its rows in host memory and sends others there
    try (TestEngine engine = new TestEngine(250, TestEngine.options())) {
      List<StreamSession> sessions = new ArrayList<>();
      for (int s = 0; s < 7; s++) {
        sessions.add(engine.create("camera-" + s));
      }
      together(engine, sessions);
      assertThat(engine.engine.metrics().rowsUsed()).isLessThanOrEqualTo(250);
      for (StreamSession session : sessions) {
        assertThat(all(engine, session)).isEqualTo(undisturbed(session.streamId()));
      }
    }
  }

  @Test
  void aRoundThatCanNeverFitFailsAtOnceAndSaysSo() throws Exception {
    try (TestEngine engine = new TestEngine(30, TestEngine.options())) {
      RoundResult result = engine.round(engine.create("camera"), 0);
      assertThat(((Failed) result.outcome()).reason())
          .contains("stream camera")
          .contains("the pool has 30")
          .contains("engine.kv-memory");
    }
  }
}
