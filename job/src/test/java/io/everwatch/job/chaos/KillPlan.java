// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;

/**
 * Who is killed when: a pure function of the seed. Of any three kills in a row from the first, the
 * fourth, the seventh … each target has one.
 */
final class KillPlan {
  /**
   * Pauses between text going on and the next kill: into every phase of checkpoints and snapshots.
   */
  private static final int LONGEST_PAUSE_MILLIS = 8_000;

  private static final int LONGEST_OUTAGE_MILLIS = 3_000;
  private static final int LONGEST_CHECKPOINT_MILLIS = 120;
  private static final int LONGEST_SECOND_MILLIS = 4_000;

  /** One in so many kills comes right after a checkpoint was triggered. */
  private static final int IN_CHECKPOINT = 2;

  /** One in so many kills is followed by another one before the text goes on. */
  private static final int DOUBLE = 5;

  /** What can be killed. */
  enum Target {
    TASK_MANAGER,
    JOB_MANAGER,
    BROKER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  /**
   * One entry.
   *
   * @param pause after the text went on
   * @param sinceTrigger after a checkpoint was triggered; empty: whenever the pause is over
   * @param victim which of several; taken modulo their number
   * @param outage until the process is started again
   * @param second another process that is killed while the first is away or coming back
   * @param secondAfter the first kill
   */
  record Kill(
      Target target,
      Duration pause,
      Optional<Duration> sinceTrigger,
      int victim,
      Duration outage,
      Optional<Target> second,
      Duration secondAfter) {
    String moment() {
      return sinceTrigger
          .map(since -> "%d ms into a checkpoint".formatted(since.toMillis()))
          .orElse("any");
    }

    String victims() {
      return second
          .map(other -> "%s, then %s %d ms later".formatted(target, other, secondAfter.toMillis()))
          .orElse(target.toString());
    }
  }

  private KillPlan() {}

  /**
   * @param doubles whether a second kill may come before the text goes on
   */
  static List<Kill> of(long seed, int kills, boolean doubles) {
    Random random = new Random(seed);
    List<Target> targets = new ArrayList<>(List.of(Target.values()));
    List<Kill> plan = new ArrayList<>();
    for (int i = 0; i < kills; i++) {
      int place = i % targets.size();
      if (place == 0) {
        Collections.shuffle(targets, random);
      }
      boolean inside = random.nextInt(IN_CHECKPOINT) == 0;
      Duration since = millis(random, LONGEST_CHECKPOINT_MILLIS);
      boolean again = random.nextInt(DOUBLE) == 0;
      Target other = Target.values()[random.nextInt(Target.values().length)];
      plan.add(
          new Kill(
              targets.get(place),
              millis(random, LONGEST_PAUSE_MILLIS),
              inside ? Optional.of(since) : Optional.empty(),
              random.nextInt(Integer.MAX_VALUE),
              millis(random, LONGEST_OUTAGE_MILLIS),
              again && doubles ? Optional.of(other) : Optional.empty(),
              millis(random, LONGEST_SECOND_MILLIS)));
    }
    return plan;
  }

  private static Duration millis(Random random, int bound) {
    return Duration.ofMillis(random.nextInt(bound));
  }
}
