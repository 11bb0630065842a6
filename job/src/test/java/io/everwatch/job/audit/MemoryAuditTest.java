// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What events tell of the memory. */
class MemoryAuditTest {
  private static final int SECONDS = 6;

  private final RecordedStream stream = RecordedStream.regular("north", SECONDS);

  /** 40 rows come in with each round, of which 100 are held at most. */
  @BeforeEach
  void tellOfTheMemory() {
    for (int i = 0; i < SECONDS; i++) {
      int round = i;
      stream.change(i, event -> event.setRound(round).setMemory(figures(round).build()));
    }
  }

  private static MemoryFigures.Builder figures(int round) {
    long computed = 40 * (round + 1L);
    MemoryFigures.Builder figures =
        MemoryFigures.newBuilder()
            .setVisionRows((int) Math.min(computed, 100) - 30)
            .setGeneratedRows(10)
            .setContextRows(12)
            .setSinkRows(8)
            .setRestRows(8)
            .setPosition(50)
            .setComputedRows(computed);
    return round % 60 == 0 ? figures.setSink("watch").setWindow("a bus") : figures;
  }

  private void change(int index, Consumer<MemoryFigures.Builder> change) {
    stream.change(
        index,
        event -> {
          MemoryFigures.Builder figures = MemoryFigures.newBuilder(event.getMemory());
          change.accept(figures);
          event.setMemory(figures.build());
        });
  }

  private Auditing audit() {
    return Auditing.texts(stream.events);
  }

  @Test
  void whatTheJobTellsIsRight() {
    assertThat(audit().violations).isEmpty();
  }

  static Stream<Consumer<MemoryFigures.Builder>> wrong() {
    return Stream.of(
        figures -> figures.setVisionRows(-1),
        figures -> figures.setSinkRows(13),
        figures -> figures.setPosition(-1),
        figures -> figures.setVisionRows(1000),
        figures -> figures.setCountedFromRound(4),
        figures -> figures.setSink("words"),
        figures -> figures.setComputedRows(80).setVisionRows(10)); // as before: nothing came in
  }

  @ParameterizedTest
  @MethodSource
  void wrong(Consumer<MemoryFigures.Builder> change) {
    change(2, change);

    assertThat(audit().violations).isNotEmpty().allMatch(one -> one.kind() == Kind.MEMORY);
  }

  @Test
  void noRoundHoldsMoreThanTheOneBeforeAndWhatCameIn() {
    change(1, figures -> figures.setVisionRows(5));
    audit().only(Kind.MEMORY); // from 35 rows to 100 with 40 that came in

    stream.change(2, event -> event.setMarks(List.of(Mark.REBUILT)));
    assertThat(audit().violations).as("words in another vocabulary").isEmpty();
  }

  @Test
  void aRoundThatTellsNothingIsNoticedOnceOthersTold() {
    stream.change(3, event -> event.setMemory(null));
    audit().only(Kind.MEMORY);

    for (int i = 0; i < SECONDS; i++) {
      stream.change(i, event -> event.setMemory(null));
    }
    assertThat(audit().violations).as("of an earlier release").isEmpty();
  }

  @Test
  void theTextMemoryStandsInEverySixtiethRound() {
    change(0, figures -> figures.setSink(null).setWindow(null));
    audit().only(Kind.MEMORY);
  }

  @Test
  void onlyACommandMakesTheMemoryBeginAgain() {
    for (int i = 3; i < SECONDS; i++) {
      int round = i - 3;
      stream.change(i, event -> event.setRound(round).setMemory(figures(round).build()));
    }
    audit().only(Kind.MEMORY);

    stream.change(3, event -> event.setAppliedCommands(List.of("reset")));
    assertThat(audit().violations).isEmpty();
  }

  @Test
  void ofAMergedRoundTheLastChunkTells() {
    MergedRange range = new MergedRange(2L, 3L);
    stream.change(
        2, event -> event.setKind(TextKind.SILENCE).setText("").setMerged(range).setMemory(null));
    stream.change(3, event -> event.setMerged(range));
    assertThat(audit().violations).isEmpty();

    TextEvent last = stream.events.get(3);
    stream.change(2, event -> event.setMemory(last.getMemory()));
    audit().only(Kind.MEMORY);
  }
}
