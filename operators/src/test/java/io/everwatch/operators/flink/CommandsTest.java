// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Commands at the operator: where they take effect, what they change, and what they leave alone.
 */
@Timeout(60)
class CommandsTest {
  private final FakeEngines fake = FakeEngines.start();
  private final Camera camera = new Camera("a");

  @AfterEach
  void closeEngine() {
    fake.close();
    assertThat(fake.rowsUsed()).as("rows left at the engine").isZero();
  }

  @Test
  void takeEffectBehindTheChunksThatWereClosedBefore() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      fake.hold();
      bench.offerSeconds(3, camera); // all three wait for the engine
      bench.offer(camera.command("c", CommandKind.STOP));
      fake.letAllGo();
      bench.offerSeconds(2, camera);
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getKind, TextEvent::getChunk, TextEvent::getSubject)
          .satisfies(events -> assertThat(events).hasSize(6));
      assertThat(chunks(bench, TextKind.GAP)).containsExactly(3L, 4L);
      TextEvent notice = notice(bench, "c");
      assertThat(notice.getChunk()).isEqualTo(3);
      assertThat(notice.getStartMicros()).isEqualTo(Camera.START_MICROS + 3_000_000);
      assertThat(notice.getSources())
          .as("the command, and the frame record that it came after")
          .extracting(SourceRange::getTopic, SourceRange::getFirstOffset)
          .containsExactly(tuple("commands", 0L), tuple("frames", 5L));
      assertThat(bench.events().get(3)).isEqualTo(notice);
    }
  }

  @Test
  void stopSkipsChunksAndAccountsForTheirFramesUntilStart() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(2, camera);
      bench.offer(camera.command("stop-it", CommandKind.STOP));
      bench.offerSeconds(2, camera);
      bench.offer(camera.command("go-on", CommandKind.START));
      bench.offerSeconds(1, camera);
      bench.settle();

      List<TextEvent> own = own(bench);
      assertThat(own).extracting(TextEvent::getChunk).containsExactly(0L, 1L, 2L, 3L, 4L);
      assertThat(own)
          .extracting(TextEvent::getAppliedCommands)
          .containsExactly(List.of(), List.of(), List.of("stop-it"), List.of(), List.of("go-on"));
      assertThat(own)
          .extracting(TextEvent::getRound)
          .as("no round was made for a skipped chunk")
          .containsExactly(0L, 1L, -1L, -1L, 2L);
      TextEvent skipped = own.get(2);
      assertThat(skipped.getKind()).isEqualTo(TextKind.GAP);
      assertThat(skipped.getSkipped().getReason()).isEqualTo("stopped by command stop-it");
      assertThat(skipped.getSkipped().getFirstChunk()).isEqualTo(2);
      assertThat(skipped.getSkipped().getLastChunk()).isEqualTo(2);
      assertThat(skipped.getFrames().getReceived()).isEqualTo(2);
      assertThat(skipped.getFrames().getUsed()).isZero();
      assertThat(skipped.getFrames().getMissing()).isEqualTo(2);
      assertThat(skipped.getFirstSequence()).isEqualTo(4);
      assertThat(skipped.getLastSequence()).isEqualTo(5);
      assertThat(bench.submitted).hasSize(3);
    }
  }

  @Test
  void aLongStopDropsWhatWasSeenBeforeIt() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("s1", CommandKind.STOP));
      bench.offerSeconds(16, camera); // the engine's longest gap
      bench.offer(camera.command("g1", CommandKind.START));
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("s2", CommandKind.STOP));
      bench.offerSeconds(17, camera);
      bench.offer(camera.command("g2", CommandKind.START));
      bench.offerSeconds(2, camera);
      bench.settle();

      assertThat(bench.submitted)
          .extracting(input -> input.chunk(), input -> input.dropVision())
          .containsExactly(
              tuple(0L, false), tuple(17L, false), tuple(35L, true), tuple(36L, false));
    }
  }

  @Test
  void resetBeginsAgainAsANewStreamWould() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(3, camera);
      bench.offer(camera.command("forget", CommandKind.RESET));
      bench.offerSeconds(2, camera);
      bench.settle();

      assertThat(own(bench)).extracting(TextEvent::getRound).containsExactly(0L, 1L, 2L, 0L, 1L);
      assertThat(own(bench))
          .extracting(TextEvent::getPromptDigest)
          .containsOnly(own(bench).get(0).getPromptDigest());
    }
  }

  @Test
  void promptGivesANewInstructionAndANewMemory() throws Exception {
    List<String> plain = texts("", Map.of(), CommandKind.RESET);
    List<String> prompted = texts("Count the bicycles.", Map.of(), CommandKind.PROMPT);

    assertThat(prompted.subList(0, 3)).isEqualTo(plain.subList(0, 3));
    assertThat(prompted.subList(3, 6)).isNotEqualTo(plain.subList(3, 6));
  }

  @Test
  void promptShowsInTheDigestFromItsAnswerOn() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("p", CommandKind.PROMPT, Map.of(), "Count the bicycles."));
      bench.offerSeconds(1, camera);
      bench.settle();

      List<TextEvent> events = bench.events();
      assertThat(events.get(1).getSubject()).isEqualTo("p");
      assertThat(events.get(1).getPromptDigest())
          .isNotEqualTo(events.get(0).getPromptDigest())
          .isEqualTo(events.get(2).getPromptDigest());
    }
  }

  @Test
  void setChangesWhatIsDrawnAndKeepsTheMemory() throws Exception {
    List<String> same = texts("", Map.of("seed", "42"), CommandKind.SET); // as it was
    List<String> other = texts("", Map.of("seed", "43"), CommandKind.SET);

    assertThat(other.subList(0, 3)).isEqualTo(same.subList(0, 3));
    assertThat(other.subList(3, 6)).isNotEqualTo(same.subList(3, 6));
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      Camera one = new Camera("b");
      bench.offerSeconds(1, one);
      bench.offer(one.command("short", CommandKind.SET, Map.of("max-new-tokens", "1"), ""));
      bench.offerSeconds(1, one);
      bench.settle();
      assertThat(own(bench)).extracting(TextEvent::getRound).containsExactly(0L, 1L);
      assertThat(own(bench).get(1).getTokenCount()).isEqualTo(1);
      assertThat(notice(bench, "short").getText()).isEqualTo("set: max_new_tokens=1");
    }
  }

  @Test
  void theSameIdIsObeyedOnceAlsoAfterARestore() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("once", CommandKind.RESET));
      bench.offer(camera.command("once", CommandKind.RESET));
      bench.offerSeconds(1, camera);
      bench.settle();
      state = bench.snapshot();
      assertThat(subjects(bench)).containsExactly("", "once", "");
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offer(camera.command("once", CommandKind.STOP));
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(subjects(bench)).containsExactly("");
      assertThat(own(bench)).extracting(TextEvent::getRound).containsExactly(1L);
    }
  }

  @Test
  void aCommandThatWaitsAtACheckpointTakesEffectAfterTheRestore() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT)) {
      fake.hold();
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("stop-it", CommandKind.STOP));
      state = bench.snapshot();
      assertThat(bench.events()).isEmpty();
      fake.letAllGo();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.IMPATIENT, state)) {
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(subjects(bench)).containsExactly("", "stop-it", "");
      assertThat(own(bench)).extracting(TextEvent::getKind).last().isEqualTo(TextKind.GAP);
    }
  }

  @Test
  void aMemoryThatIsBeingWrittenWhenItIsForgottenStaysForgotten() throws Exception {
    UnderstandSettings always =
        new UnderstandSettings(64, Duration.ofSeconds(10), Duration.ZERO, 1 << 16);
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), always)) {
      bench.offerSeconds(3, camera);
      bench.settle();
      bench.snapshot(); // begins to write the memory of three rounds
      bench.offer(camera.command("forget", CommandKind.RESET));
      bench.offerSeconds(1, camera);
      bench.settle();
      bench.awaitSnapshots(0);
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), always, state)) {
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(own(bench)).extracting(TextEvent::getRound).containsExactly(1L);
      assertThat(own(bench).get(0).getMarks()).isEmpty();
    }
  }

  @Test
  void startBringsAboutAStreamBeforeItsFirstFrame() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offer(camera.command("s", CommandKind.START, Map.of("maxNewTokens", "1"), ""));
      bench.settle();
      assertThat(notice(bench, "s").getText()).isEqualTo("started: max_new_tokens=1");
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offerSeconds(1, camera);
      bench.settle();
      assertThat(own(bench))
          .singleElement()
          .satisfies(
              event -> {
                assertThat(event.getTokenCount()).isEqualTo(1);
                assertThat(event.getAppliedCommands()).containsExactly("s");
              });
    }
  }

  @Test
  void commandsForAStreamThatIsNotThereAreRefusedAndLeaveNoState() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      for (CommandKind kind :
          List.of(CommandKind.STOP, CommandKind.PROMPT, CommandKind.RESET, CommandKind.SET)) {
        bench.offer(camera.command("c-" + kind, kind));
      }
      bench.offer(camera.command("bad-start", CommandKind.START, Map.of("chunk", "9 s"), ""));
      bench.settle();

      assertThat(bench.events())
          .hasSize(5)
          .allSatisfy(
              event -> {
                assertThat(event.getKind()).isEqualTo(TextKind.NOTICE);
                assertThat(event.getText()).startsWith("refused: ");
              });
      assertThat(notice(bench, "c-STOP").getText()).contains("there is no such stream", "START");
      assertThat(notice(bench, "bad-start").getText())
          .contains("chunk is fixed while the job runs");
      state = bench.snapshot();
    }
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT, state)) {
      bench.offer(camera.command("bad-start", CommandKind.RESET));
      bench.settle();
      assertThat(notice(bench, "bad-start").getText()).contains("there is no such stream");
    }
  }

  @Test
  void theEndOfAStreamForgetsItsOrders() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(1, camera);
      bench.offer(camera.command("stop-it", CommandKind.STOP));
      bench.offer(camera.end());
      bench.offerSeconds(1, camera);
      bench.settle();

      assertThat(bench.events())
          .extracting(TextEvent::getKind)
          .last()
          .isIn(TextKind.COMMENT, TextKind.SILENCE);
    }
  }

  @Test
  void malformedCommandsAreDeadLetteredAndTouchNoStream() throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      bench.offerSeconds(1, camera);
      bench.offer(camera.rawCommand(null));
      bench.offer(camera.rawCommand(new byte[] {1, 2, 3}));
      bench.offer(camera.rawCommand(new byte[CommandRecordReader.MAX_BYTES + 1]));
      bench.offer(camera.command("", CommandKind.STOP));
      bench.offer(camera.command("ended", CommandKind.STOP));
      bench.offer(camera.command("x".repeat(129), CommandKind.STOP));
      bench.offer(camera.command("future", CommandKind.UNKNOWN));
      bench.offer(new Camera("").command("nobody", CommandKind.STOP));
      bench.offer(new Camera("y".repeat(513)).command("nobody", CommandKind.STOP));
      bench.offerSeconds(1, camera);
      bench.settle();

      assertThat(bench.deadLetters())
          .extracting(letter -> letter.getReason())
          .containsExactly(
              "UNDECODABLE",
              "UNDECODABLE",
              "OVERSIZED",
              "BAD_COMMAND_ID",
              "BAD_COMMAND_ID",
              "BAD_COMMAND_ID",
              "UNKNOWN_KIND",
              "BAD_STREAM_ID",
              "BAD_STREAM_ID");
      assertThat(bench.deadLetters())
          .allSatisfy(letter -> assertThat(letter.getTopic()).isEqualTo("commands"));
      assertThat(subjects(bench)).containsExactly("", "");
    }
  }

  /** What is said of three seconds, a command, and three seconds more. */
  private List<String> texts(String text, Map<String, String> settings, CommandKind kind)
      throws Exception {
    try (Bench bench = new Bench(fake.engine(), Bench.PATIENT)) {
      Camera one = new Camera("t");
      bench.offerSeconds(3, one);
      bench.offer(one.command("c", kind, settings, text));
      bench.offerSeconds(3, one);
      bench.settle();
      assertThat(notice(bench, "c").getText()).doesNotStartWith("refused");
      return own(bench).stream().map(event -> event.getKind() + " " + event.getText()).toList();
    }
  }

  private static List<TextEvent> own(Bench bench) throws Exception {
    return bench.events().stream().filter(event -> event.getSubject().isEmpty()).toList();
  }

  private static List<String> subjects(Bench bench) throws Exception {
    return bench.events().stream().map(TextEvent::getSubject).toList();
  }

  private static List<Long> chunks(Bench bench, TextKind kind) throws Exception {
    return bench.events().stream()
        .filter(event -> event.getKind() == kind)
        .map(TextEvent::getChunk)
        .toList();
  }

  private static TextEvent notice(Bench bench, String id) throws Exception {
    List<TextEvent> found = new ArrayList<>(bench.events());
    found.removeIf(event -> !event.getSubject().equals(id));
    assertThat(found).as("answers to %s in %s", id, Arrays.asList(bench.events())).hasSize(1);
    assertThat(found.get(0).getKind()).isEqualTo(TextKind.NOTICE);
    return found.get(0);
  }
}
