// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.audit.Violation.Kind;
import io.everwatch.operators.chunk.ChunkSettings;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever cameras do, the job's own events are clean; whatever is done to them is noticed. */
class AuditPropertyTest {
  private static final int SEEDS = 400;

  @Test
  void eventsOfTheJobsChunkAssemblyAreCleanWhateverTheCameraDoes() {
    long gaps = 0;
    long resets = 0;
    long letters = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      RecordedStream stream = random(seed);
      Auditing auditing = Auditing.texts(stream.events).beside(stream.letters, stream.frames);
      assertThat(auditing.violations).as("seed %d", seed).isEmpty();
      AuditReport.Frames frames = auditing.frames();
      long refused = stream.letters.stream().filter(one -> one.getChunk() < 0).count();
      long ends =
          stream.events.stream()
              .filter(e -> e.getKind() == TextKind.ENDED && e.getText().isEmpty())
              .count();
      assertThat(frames.found() + frames.waiting() + refused + ends)
          .as("seed %d: every record of the frames topic", seed)
          .isEqualTo(stream.frames.size());
      assertThat(auditing.texts.totals().counts().received() + frames.pending())
          .as("seed %d", seed)
          .isEqualTo(frames.found());
      gaps += stream.events.stream().filter(e -> e.getKind() == TextKind.GAP).count();
      resets += stream.events.stream().filter(TextEvent::getClockReset).count();
      letters += stream.letters.size();
    }
    assertThat(List.of(gaps, resets, letters)).as("the seeds make each of them").doesNotContain(0L);
  }

  @Test
  void anyEventTakenAwayOrAddedOrMovedIsNoticed() {
    for (int seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(~seed);
      RecordedStream stream = random(seed);
      List<TextEvent> events = new ArrayList<>(stream.events);
      int at = random.nextInt(events.size() - 1);
      String done;
      switch (random.nextInt(3)) {
        case 0 -> {
          done = "removed " + events.remove(at);
        }
        case 1 -> {
          TextEvent again = events.get(at);
          events.add(at + 1 + random.nextInt(events.size() - at), again);
          done = "repeated " + again;
        }
        default -> {
          events.add(at + 1, events.remove(at));
          done = "moved " + events.get(at + 1);
        }
      }
      assertThat(Auditing.texts(events).violations).as("seed %d, %s", seed, done).isNotEmpty();
    }
  }

  @Test
  void aFrameThatIsNotCountedOrCountedTwiceIsNoticed() {
    for (int seed = 0; seed < SEEDS; seed++) {
      RecordedStream stream = random(seed);
      List<TextEvent> events = new ArrayList<>(stream.events);
      int at = new Random(~seed).nextInt(events.size());
      TextEvent event = events.get(at);
      FrameCounts counts = event.getFrames();
      int by = counts.getSurplus() > 0 && seed % 2 == 0 ? -1 : 1;
      events.set(
          at,
          TextEvent.newBuilder(event)
              .setFrames(
                  FrameCounts.newBuilder(counts)
                      .setReceived(counts.getReceived() + by)
                      .setSurplus(counts.getSurplus() + by)
                      .build())
              .build());
      Auditing auditing = Auditing.texts(events);
      assertThat(auditing.violations).as("seed %d: the event agrees with itself", seed).isEmpty();
      assertThat(auditing.beside(stream.letters, stream.frames).violations)
          .as("seed %d: the frames topic does not, by %d at %s", seed, by, event)
          .extracting(Violation::kind)
          .containsExactly(Kind.FRAMES);
    }
  }

  @Test
  void aDeadLetterThatIsMissingIsNoticed() {
    int tried = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      RecordedStream stream = random(seed);
      if (stream.letters.isEmpty()) {
        continue;
      }
      tried++;
      var lost = stream.letters.remove(new Random(~seed).nextInt(stream.letters.size()));
      assertThat(Auditing.texts(stream.events).beside(stream.letters, stream.frames).violations)
          .as("seed %d, %s", seed, lost)
          .isNotEmpty()
          .extracting(Violation::kind)
          .containsOnly(lost.getChunk() < 0 ? Kind.FRAMES : Kind.DEAD_LETTERS);
    }
    assertThat(tried).isGreaterThan(SEEDS / 4);
  }

  /** A camera with faults, in one life or two, both ended. */
  private static RecordedStream random(int seed) {
    Random random = new Random(seed);
    ChunkSettings settings =
        new ChunkSettings(
            1_000_000,
            1 + random.nextInt(4),
            random.nextInt(3) * 1_000_000L,
            random.nextInt(20_000_000),
            10_000_000);
    double unusable = random.nextBoolean() ? 0 : 0.2;
    RecordedStream stream = new RecordedStream("north", settings, random, unusable);
    int lives = 1 + random.nextInt(2);
    for (int life = 0; life < lives; life++) {
      live(stream, random);
      if (random.nextBoolean()) {
        stream.end();
      } else {
        stream.forget();
      }
    }
    return stream;
  }

  private static void live(RecordedStream stream, Random random) {
    double loss = random.nextBoolean() ? 0 : 0.4;
    double copies = random.nextBoolean() ? 0 : 0.2;
    int disorder = random.nextBoolean() ? 0 : random.nextInt(8);
    double jumps = random.nextBoolean() ? 0 : 0.03;
    long period = 1_000_000L / (1 + random.nextInt(10));
    List<long[]> sent = new ArrayList<>(); // place, sequence, time
    long time = RecordedStream.START;
    for (int i = 0; i < 80; i++) {
      time += period;
      if (i > 0 && random.nextDouble() < jumps) {
        time += random.nextBoolean() ? 3_600_000_000L : random.nextInt(9_000_000);
      }
      int late = i == 0 || disorder == 0 ? 0 : random.nextInt(disorder);
      if (i == 0 || random.nextDouble() >= loss) {
        // Now and then a camera that has lost its clock for one frame.
        boolean lost = i > 0 && random.nextDouble() < jumps;
        sent.add(new long[] {i + late, i, lost ? 1_000 : time});
        if (i > 0 && random.nextDouble() < copies) {
          sent.add(new long[] {i + late + random.nextInt(5), i, time});
        }
      }
    }
    sent.sort((a, b) -> Long.compare(a[0], b[0])); // stable
    sent.forEach(one -> stream.frame(one[1], one[2]));
  }
}
