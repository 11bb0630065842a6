// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static io.everwatch.job.world.View.UNIT;

import io.everwatch.job.world.Dice.Purpose;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What all scenes share: two lanes, each with at most one mover, and the order of a second. Lengths
 * are 256ths of a unit. A mover's place is that of the last frame shown; frame {@code i} of {@code
 * f} shows {@code place + floor(speed (i + 1) / f)}.
 *
 * <p>The rules that make the truth crisp: one event per second, competing events wait (only two
 * forced departures may share a second, the lane behind first). Who comes is visible by 40 % or
 * more in the first frame of the second and absent before; who leaves was visible by 30 % or more
 * in the first frame of the second before and is absent in this one.
 */
abstract sealed class Scene permits Road, Door {
  /** Draws of a lane in a second: fields 16 l to 16 l + 15; common ones from 32 on. */
  private static final int LANE_FIELDS = 16;

  private static final int ORDER = 32;

  /** Before the first second. */
  static final int FIRST = 40;

  private final Dice events;
  final View view;
  final int density; // in thousandths
  final Lane back;
  final Lane front;
  final Cover cover;
  private final int arrivals;
  private final List<Seen> seen = new ArrayList<>();
  long second;
  Speech speech = new Speech();

  /**
   * A scene at its beginning.
   *
   * @param arrivals how many times as often as on the road somebody comes
   */
  Scene(WorldScene scene, Lane back, Lane front, Cover cover, int arrivals) {
    this.events = new Dice(scene.seed(), Purpose.EVENTS);
    this.view = scene.view();
    this.density = (int) (scene.density() * 1000 + 0.5);
    this.back = back;
    this.front = front;
    this.cover = cover;
    this.arrivals = density * arrivals;
  }

  /** What to tell the model, once. */
  abstract String instruction();

  /** Somebody comes; false = not in this second. */
  abstract boolean arrive(Lane lane);

  /** What a mover does before it moves. */
  abstract void act(Lane lane, Mover mover);

  abstract void tellDeparture(Mover mover);

  /** What happens besides the lanes. */
  abstract void finish();

  abstract String caption(List<Seen> movers);

  abstract List<Question> questions(List<Seen> movers);

  abstract Optional<Lamp> lamp();

  static int units(int n) {
    return n * UNIT;
  }

  // draws of this second

  int below(int n, int field) {
    return events.below(n, second, field);
  }

  int below(int n, Lane lane, int field) {
    return below(n, LANE_FIELDS * lane.index + field);
  }

  <T> T oneOf(T[] values, Lane lane, int field) {
    return values[below(values.length, lane, field)];
  }

  // geometry

  /** How much of a mover lies within the picture, shaken or not. */
  private int inside(int x, int width) {
    int low = Math.max(view.inset(), x - width / 2);
    int high = Math.min(view.wide() - view.inset(), x + width / 2);
    return Math.max(0, high - low);
  }

  /** The middle of a mover of which 40 % or more is seen. */
  int entry(Lane lane, int width, boolean toTheRight) {
    int shown = (103 + below(153, lane, 5)) * width / 256;
    return toTheRight
        ? view.inset() + shown - width / 2
        : view.wide() - view.inset() - shown + width / 2;
  }

  /** Where a mover must have been to be at {@code x} in the first frame of this second. */
  int before(int x, int speed) {
    return x - Math.floorDiv(speed, view.fps());
  }

  /** Whether every mover is seen by 30 % or more in the last frame. */
  boolean allPlain(List<Seen> movers) {
    return movers.stream()
        .allMatch(
            mover -> {
              int width = mover.shape().width();
              int x = mover.lastX();
              return 10 * (inside(x, width) - cover.hides(mover.lane(), x, width)) >= 3 * width;
            });
  }

  // one second

  /** Lets a second pass. */
  final Second step() {
    speech = new Speech();
    seen.clear();
    // forced departures first, so that the rule of one event per second can see them
    boolean backLeft = depart(back);
    boolean frontLeft = depart(front);
    boolean frontFirst = below(2, ORDER) == 1;
    if (frontFirst && !frontLeft) {
      pass(front);
    }
    if (!backLeft) {
      pass(back);
    }
    if (!frontFirst && !frontLeft) {
      pass(front);
    }
    finish();
    seen.sort(Comparator.comparingInt(Seen::lane));
    List<Seen> movers = List.copyOf(seen);
    Second now = new Second(second, speech, caption(movers), questions(movers), movers, lamp());
    second++;
    return now;
  }

  private boolean depart(Lane lane) {
    Mover mover = lane.mover;
    if (mover == null || mover.standing) {
      return false;
    }
    int next = mover.x + Math.floorDiv(mover.speed, view.fps());
    if (10 * inside(next, mover.shape.width()) >= 3 * mover.shape.width()) {
      return false;
    }
    tellDeparture(mover);
    lane.clear(second);
    return true;
  }

  private void pass(Lane lane) {
    Mover there = lane.mover;
    if (there == null) {
      await(lane);
    } else {
      act(lane, there);
    }
    @Nullable Mover mover = lane.mover;
    if (mover != null) {
      boolean moving = !mover.standing;
      int[] xs = mover.advance(view.fps());
      seen.add(
          new Seen(
              lane.index,
              lane.y,
              mover.shape,
              mover.colour,
              mover.item,
              mover.speed > 0,
              moving,
              xs));
    }
  }

  private void await(Lane lane) {
    if (second >= lane.openFrom
        && (lane.waiting || below(10_000 + arrivals, lane, 0) < 2 * arrivals)) {
      lane.waiting = !arrive(lane);
    }
  }
}
