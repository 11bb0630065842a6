// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.job.replay.ReplayLine.Verdict;
import io.everwatch.job.replay.Said.Identity;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.TextEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;

/** Events of the topic beside those said again, by identity, as they come. */
final class Comparison {
  /** Of a value at most so much is shown, characters. */
  private static final int SHOWN = 120;

  private final Consumer<ReplayLine> lines;
  private final Map<Identity, List<Said>> recorded = new LinkedHashMap<>();
  private final Set<Identity> met = new LinkedHashSet<>();
  private final Set<String> notes = new LinkedHashSet<>();
  private long compared;
  private long agreeing;

  Comparison(List<Said> recorded, Consumer<ReplayLine> lines) {
    this.lines = lines;
    for (Said said : recorded) {
      List<Said> same = this.recorded.computeIfAbsent(said.identity(), id -> new ArrayList<>());
      // Written at least once, it may stand there again with the same bytes.
      if (same.stream().noneMatch(before -> Arrays.equals(before.value(), said.value()))) {
        same.add(said);
      }
    }
  }

  /** The next event that was said again. */
  void saidAgain(Said again) {
    met.add(again.identity());
    List<Said> same = recorded.getOrDefault(again.identity(), List.of());
    if (same.isEmpty()) {
      line(again, Verdict.NOT_IN_TOPIC, "", again.digest(), List.of());
    }
    same.forEach(before -> compare(before, again));
  }

  private void compare(Said before, Said again) {
    if (Arrays.equals(before.value(), again.value())) {
      line(before, Verdict.EQUAL, before.digest(), again.digest(), List.of());
      return;
    }
    boolean otherRelease = before.isOfOtherRelease();
    TextEvent there = before.event();
    TextEvent here = again.event();
    if (otherRelease) {
      notes.add(
          "the text was written by a release that told nothing of the memory; it is compared without");
      there = before.withoutMemory();
      here = again.withoutMemory();
    }
    note("model", there.getModelDigest(), here.getModelDigest());
    boolean sameNumerics =
        note("numerics identity", there.getNumericsDigest(), here.getNumericsDigest());
    if (!sameNumerics) {
      there = withoutNumerics(there);
      here = withoutNumerics(here);
    }
    List<String> differences = differences(there, here);
    line(
        before,
        verdict(differences, sameNumerics, otherRelease),
        before.digest(),
        again.digest(),
        differences);
  }

  private static Verdict verdict(
      List<String> differences, boolean sameNumerics, boolean otherRelease) {
    if (!differences.isEmpty() || (sameNumerics && !otherRelease)) {
      return Verdict.DIFFERENT;
    }
    return sameNumerics ? Verdict.EQUAL_BUT_RELEASE : Verdict.EQUAL_BUT_NUMERICS;
  }

  private boolean note(String what, String there, String here) {
    if (!there.equals(here)) {
      notes.add("the %s differs: %s in the topic, %s here".formatted(what, there, here));
    }
    return there.equals(here);
  }

  private static TextEvent withoutNumerics(TextEvent event) {
    List<Mark> marks = new ArrayList<>(event.getMarks());
    marks.remove(Mark.NUMERICS_CHANGED);
    return TextEvent.newBuilder(event).setNumericsDigest("").setMarks(marks).build();
  }

  private static List<String> differences(TextEvent there, TextEvent here) {
    if (Arrays.equals(WireFormat.encode(there), WireFormat.encode(here))) {
      return List.of();
    }
    List<String> differences = new ArrayList<>();
    differences("", there, here, differences);
    // Written by another release, the same fields may have other bytes.
    return differences.isEmpty() ? List.of("the encoding; the fields are equal") : differences;
  }

  private static void differences(
      String path, IndexedRecord there, IndexedRecord here, List<String> differences) {
    for (Schema.Field field : there.getSchema().getFields()) {
      Object a = there.get(field.pos());
      Object b = here.get(field.pos());
      if (a instanceof IndexedRecord inner && b instanceof IndexedRecord other) {
        differences(path + field.name() + ".", inner, other, differences);
      } else if (!String.valueOf(a).equals(String.valueOf(b))) {
        differences.add(
            "%s%s %s in the topic, %s again".formatted(path, field.name(), shown(a), shown(b)));
      }
    }
  }

  private static String shown(Object value) {
    String text = String.valueOf(value).replaceAll("\\p{Cntrl}", "?");
    return "'" + (text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…") + "'";
  }

  /**
   * All has been said again that will be.
   *
   * @param mayLack of an event that was not said again: whether the checkpoint had answered it
   */
  void finish(Predicate<Said> mayLack) {
    recorded.forEach(
        (identity, same) -> {
          if (!met.contains(identity)) {
            same.stream()
                .filter(said -> !mayLack.test(said))
                .forEach(said -> line(said, Verdict.NOT_SAID_AGAIN, said.digest(), "", List.of()));
          }
        });
  }

  private void line(
      Said said, Verdict verdict, String there, String again, List<String> differences) {
    ReplayLine line =
        new ReplayLine(
            said.event().getChunk(),
            said.lastChunk(),
            said.event().getSubject(),
            said.event().getKind(),
            verdict,
            there,
            again,
            differences);
    compared++;
    agreeing += line.agrees() ? 1 : 0;
    lines.accept(line);
  }

  long compared() {
    return compared;
  }

  long agreeing() {
    return agreeing;
  }

  /** What concerns all events, each once. */
  List<String> notes() {
    return List.copyOf(notes);
  }
}
