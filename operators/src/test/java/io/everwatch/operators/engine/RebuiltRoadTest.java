// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.operators.model.StreamSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The shipped model goes on with a road after its memory was lost: half a minute of the log comes
 * back in one prefill.
 */
@Timeout(300)
class RebuiltRoadTest {
  private static final Path ROAD = Path.of("src/test/golden/road");
  private static final int SAVED = 30;
  private static final int LOST = 60;
  private static final int END = 90;

  private final LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
  private final List<String> sentences = new ArrayList<>();

  @Test
  void saysWithThePicturesOfTheLogWhatItWouldHaveSaid() throws Exception {
    JsonNode head = reference().get(0);
    EngineOptions options =
        EngineOptions.builder("everwatch-tiny")
            .threads(2)
            .kvBytes(64 << 20)
            .overrides(Map.of("text_window", head.get("window").asText()))
            .build();
    try (Engine engine = Engines.open(options);
        Seat seat = engine.attach(results::addAll)) {
      StreamSettings settings = engine.settings().withInstruction(head.get("instruction").asText());
      StreamSession session = seat.create("road", settings);
      speak(seat, session, 0, SAVED);
      SessionSnapshot saved = seat.snapshot(session).get(60, TimeUnit.SECONDS);
      speak(seat, session, SAVED, LOST);
      List<String> whole = goOn(seat, session);

      List<String> rebuilt = goOn(seat, rebuilt(seat, saved, settings.visualRounds()));
      List<String> again = goOn(seat, rebuilt(seat, saved, settings.visualRounds()));
      List<String> blind = goOn(seat, rebuilt(seat, saved, 1));

      assertThat(again).as("a rebuild is deterministic").isEqualTo(rebuilt);
      int seen = equal(rebuilt, whole);
      int unseen = equal(blind, whole);
      assertThat(seen).as("seconds said as without the loss").isGreaterThanOrEqualTo(27);
      assertThat(seen).as("with pictures and without").isGreaterThanOrEqualTo(unseen);
    }
  }

  private void speak(Seat seat, StreamSession session, int from, int to) throws Exception {
    for (int second = from; second < to; second++) {
      sentences.add(said(seat, session, chunk(second)));
    }
  }

  /** The snapshot has lost a piece; of the log the newest {@code shown} rounds have pictures. */
  private StreamSession rebuilt(Seat seat, SessionSnapshot saved, int shown) throws Exception {
    List<byte[]> pieces = new ArrayList<>(saved.pieces());
    pieces.set(1, new byte[0]);
    StreamSession session =
        seat.restore(seat.rebuild("road", pieces, saved.settings(), SAVED).snapshot());
    List<RoundInput> log = new ArrayList<>();
    for (int second = SAVED; second < LOST; second++) {
      RoundInput logged = chunk(second).answered(sentences.get(second));
      log.add(second < LOST - shown ? logged.withoutFrames() : logged);
    }
    RoundInput last = log.remove(log.size() - 1);
    assertThat(said(seat, session, last.after(log))).isEqualTo(sentences.get(LOST - 1));
    assertThat(session.rounds()).isEqualTo(LOST);
    assertThat(session.memory().slices().stream())
        .filteredOn(slice -> slice.kind() == SegmentKind.VISION)
        .hasSize(shown);
    return session;
  }

  private List<String> goOn(Seat seat, StreamSession session) throws Exception {
    List<String> said = new ArrayList<>();
    for (int second = LOST; second < END; second++) {
      said.add(said(seat, session, chunk(second)));
    }
    seat.release(session);
    return said;
  }

  private String said(Seat seat, StreamSession session, RoundInput input)
      throws InterruptedException {
    seat.submit(session, input);
    RoundResult result = results.poll(60, TimeUnit.SECONDS);
    assertThat(result).as("result of second %d", input.chunk()).isNotNull();
    return result
        .outcome()
        .match(
            RoundResult.Spoke::text,
            silent -> "",
            failed -> {
              throw new AssertionError(failed.reason());
            });
  }

  private static int equal(List<String> some, List<String> others) {
    int equal = 0;
    for (int i = 0; i < some.size(); i++) {
      equal += some.get(i).equals(others.get(i)) ? 1 : 0;
    }
    return equal;
  }

  private static RoundInput chunk(int second) throws IOException {
    return new RoundInput(second, List.of(frame(2 * second), frame(2 * second + 1)), false);
  }

  private static EncodedFrame frame(int number) throws IOException {
    byte[] bytes = Files.readAllBytes(ROAD.resolve("frames/%06d.png".formatted(number)));
    return new EncodedFrame(Encoding.PNG, 0, 0, bytes);
  }

  private static List<JsonNode> reference() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(ROAD.resolve("reference.jsonl"))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }
}
