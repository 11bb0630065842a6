// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import io.everwatch.job.scene.FrameState.Placed;
import io.everwatch.job.scene.Lane.Vehicle;
import java.util.ArrayList;
import java.util.List;

/**
 * One synthetic road camera with its truth: two lanes, one traffic light, one instruction; two
 * frames a second. The same {@link RoadScene} gives the same seconds and the same bytes, always.
 *
 * <p>The rules that make the truth crisp: one event per second, competing events wait (only two
 * forced departures may share a second, upper lane first). An entering vehicle is visible by 40 %
 * or more in the first frame of its second and absent in the second before; a leaving one is
 * visible by 30 % or more in the first frame of the second before and absent in its own. "Stops" is
 * the first second without motion, "moves on" the first with motion; the light changes on the first
 * frame.
 */
public final class RoadWorld {
  /** Frames of one second. */
  public static final int FPS = 2;

  private static final int EVENTS = 1;
  private static final int BACKGROUND = 2;
  private static final int SENSOR = 3;

  private final double density;
  private final VehicleKind counted;
  private final SceneRandom events;
  private final Sensor sensor;
  private final Background background;
  private final RoadRenderer renderer;
  private final List<Lane> lanes;
  private Lamp lamp;
  private int lampSeconds;
  private int count;

  // of the second being made
  private boolean eventUsed;
  private final StringBuilder truth = new StringBuilder();

  public RoadWorld(RoadScene scene) {
    density = scene.density();
    events = new SceneRandom(scene.seed(), EVENTS);
    background = Background.random(new SceneRandom(scene.seed(), BACKGROUND));
    sensor = new Sensor(new SceneRandom(scene.seed(), SENSOR));
    renderer = new RoadRenderer(background);
    // drawn even when given, so that the road of a seed is the same whatever is counted
    VehicleKind drawn = events.oneOf(VehicleKind.values());
    counted = scene.counted().orElse(drawn);
    lanes = List.of(new Lane(events.between(0, 5)), new Lane(events.between(0, 8)));
    lamp = events.oneOf(Lamp.values());
    lampSeconds = events.between(3, 15);
  }

  /**
   * One second.
   *
   * @param truth what happened, as a sentence of the grammar; empty = nothing
   * @param frames the two frames
   */
  public record Second(String truth, List<FrameState> frames) {
    public Second {
      frames = List.copyOf(frames);
    }
  }

  /** What to tell the model, once. */
  public String instruction() {
    return Sentences.instruction(counted);
  }

  public Background background() {
    return background;
  }

  /** As the camera sees it, with noise: {@code [112][112][3]} bytes. Each call is one exposure. */
  public byte[] expose(FrameState state) {
    return sensor.expose(renderer, state);
  }

  /** Lets one second pass. */
  public Second next() {
    eventUsed = false;
    truth.setLength(0);
    List<Placed> first = new ArrayList<>();
    List<Placed> second = new ArrayList<>();
    // forced departures first, so that the rule of one event per second can see them
    boolean[] emptied = {depart(lanes.get(0)), depart(lanes.get(1))};
    int start = events.chance(0.5) ? 1 : 0;
    for (int i = 0; i < lanes.size(); i++) {
      int lane = start ^ i;
      if (!emptied[lane]) {
        drive(lane, first, second);
      }
    }
    switchLamp();
    return new Second(
        truth.toString(), List.of(new FrameState(first, lamp), new FrameState(second, lamp)));
  }

  private void say(String sentence) {
    truth.append(sentence);
    eventUsed = true;
  }

  private boolean depart(Lane lane) {
    Vehicle vehicle = lane.vehicle;
    if (vehicle == null || !vehicle.isLeaving()) {
      return false;
    }
    say(Sentences.leaves(vehicle.paint, vehicle.kind, vehicle.exitSide()));
    lane.vehicle = null;
    lane.waitSeconds = (int) (1 + events.exponential(5.0 / density));
    return true;
  }

  private void drive(int lane, List<Placed> first, List<Placed> second) {
    Lane here = lanes.get(lane);
    Vehicle vehicle = here.vehicle;
    if (vehicle == null) {
      here.waitSeconds--;
      if (here.waitSeconds < 0 && !eventUsed) {
        Vehicle entering = enter();
        here.vehicle = entering;
        first.add(placed(lane, entering));
        entering.advance();
        second.add(placed(lane, entering));
      }
      return;
    }
    if (vehicle.standing) {
      vehicle.standingSeconds--;
      if (vehicle.standingSeconds <= 0 && !eventUsed) {
        vehicle.standing = false;
        say(Sentences.movesOn(vehicle.paint, vehicle.kind));
      }
    } else if (vehicle.wantsToStop() && !eventUsed) {
      vehicle.stop(events.between(2, 7));
      say(Sentences.stops(vehicle.paint, vehicle.kind));
    }
    vehicle.advance();
    first.add(placed(lane, vehicle));
    vehicle.advance();
    second.add(placed(lane, vehicle));
  }

  private Vehicle enter() {
    VehicleKind kind = events.oneOf(VehicleKind.values());
    Paint paint = events.oneOf(Paint.values());
    double speed = events.uniform(5, 11) * (events.chance(0.5) ? 1 : -1);
    double visible = events.uniform(0.4, 1);
    double inside = (visible - 0.5) * kind.width();
    double centerX = speed > 0 ? inside : Background.SIZE - inside;
    boolean willStop = events.chance(0.4);
    double stopX = events.uniform(30, 82);
    Vehicle vehicle = new Vehicle(kind, paint, speed, centerX, willStop, stopX);
    if (kind == counted) {
      count = count % Sentences.COUNT_WRAP + 1;
      say(Sentences.entersCounted(paint, kind, vehicle.entrySide(), count));
    } else {
      say(Sentences.enters(paint, kind, vehicle.entrySide()));
    }
    return vehicle;
  }

  private void switchLamp() {
    lampSeconds--;
    if (lampSeconds <= 0 && !eventUsed) {
      lamp = lamp.next();
      lampSeconds =
          lamp == Lamp.AMBER ? events.between(3, 6) : (int) (events.between(8, 22) / density);
      say(Sentences.lightTurns(lamp));
    }
  }

  private static Placed placed(int lane, Vehicle vehicle) {
    return new Placed(lane, vehicle.kind, vehicle.paint, vehicle.centerX);
  }
}
