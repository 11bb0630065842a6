// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import io.everwatch.job.world.Dice.Purpose;
import io.everwatch.job.world.View.Occluder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A road: two lanes, a traffic light, one kind of vehicle that is counted. "Stops" is the first
 * second without motion, "moves on" the first with motion; the light changes on a first frame.
 */
final class Road extends Scene {
  private static final Shape[] KINDS = {Shape.CAR, Shape.BUS, Shape.BIKE};
  private static final Lamp[] LAMPS = Lamp.values();
  private static final int LAMP_TIME = 33;

  private final Shape counted;
  private final Map<Shape, Fact<Colour>> entered = new EnumMap<>(Shape.class);
  private final Map<Shape, Fact<String>> left = new EnumMap<>(Shape.class);
  private Fact<Integer> count = Fact.given(0);
  private Lamp lamp;
  private int lampSeconds;

  Road(WorldScene scene) {
    this(scene, new Dice(scene.seed(), Purpose.PLACE));
  }

  private Road(WorldScene scene, Dice place) {
    super(
        scene,
        new Lane(0, 52 + place.below(10, 0, 0)),
        new Lane(1, 86 + place.below(10, 0, 1)),
        cover(scene.view(), place),
        1);
    Shape drawn = KINDS[below(KINDS.length, FIRST)];
    counted = scene.counted().map(word -> ofWord(word)).orElse(drawn);
    lamp = LAMPS[below(LAMPS.length, FIRST + 1)];
    lampSeconds = 3 + below(12, FIRST + 2);
  }

  private static Shape ofWord(String word) {
    for (Shape kind : KINDS) {
      if (kind.word().equals(word)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("no vehicle is called " + word);
  }

  private static Cover cover(View view, Dice place) {
    if (view.occluder() == Occluder.NONE) {
      return Cover.NONE;
    }
    int edge = units(31) + view.inset();
    int x = edge + place.below(view.wide() - 2 * edge, 0, 2);
    return view.occluder() == Occluder.POST
        ? new Cover(x, units(4), units(4))
        : new Cover(x, units(11), units(3));
  }

  @Override
  String instruction() {
    return " Watch the road and count the %s.".formatted(Words.plural(counted.word()));
  }

  @Override
  Optional<Lamp> lamp() {
    return Optional.of(lamp);
  }

  @Override
  void tellDeparture(Mover vehicle) {
    speech.say(
        " The %s %s leaves to the %s."
            .formatted(vehicle.colour.word(), vehicle.shape.word(), vehicle.side()));
    left.put(vehicle.shape, Fact.told(vehicle.side(), second));
  }

  @Override
  boolean arrive(Lane lane) {
    if (!speech.isEmpty()) {
      return false;
    }
    Shape kind = oneOf(KINDS, lane, 1);
    Colour colour = oneOf(Colour.values(), lane, 2);
    boolean toTheRight = below(2, lane, 4) == 1;
    int speed = (units(10) + below(units(12) + 1, lane, 3)) * (toTheRight ? 1 : -1);
    int stopX = units(30) + below(view.wide() - units(60), lane, 7);
    boolean willStop = below(1000, lane, 6) < 400;
    Mover vehicle =
        new Mover(
            kind,
            colour,
            Item.NOTHING,
            speed,
            before(entry(lane, kind.width(), toTheRight), speed),
            willStop ? OptionalInt.of(stopX) : OptionalInt.empty(),
            OptionalInt.empty());
    lane.mover = vehicle;
    tellEntry(vehicle);
    return true;
  }

  private void tellEntry(Mover vehicle) {
    speech.say(" A %s %s".formatted(vehicle.colour.word(), vehicle.shape.word()));
    if (vehicle.shape == counted) {
      int now = count.value() % Words.ROUND + 1;
      speech.say(" number ").recall(Due.What.NUMBER, Words.number(now), count);
      Fact<Colour> last = entered.get(counted);
      if (last != null) {
        speech.say(" after a ").recall(Due.What.AFTER, last.value().word(), last).say(" one");
      }
      count = Fact.told(now, second);
    }
    speech.say(" enters from the %s.".formatted(vehicle.origin()));
    entered.put(vehicle.shape, Fact.told(vehicle.colour, second));
  }

  @Override
  void act(Lane lane, Mover vehicle) {
    String colour = vehicle.colour.word();
    String kind = vehicle.shape.word();
    if (vehicle.standing) {
      vehicle.secondsLeft--;
      if (vehicle.secondsLeft <= 0 && speech.isEmpty()) {
        vehicle.standing = false;
        speech.say(" The %s %s moves on.".formatted(colour, kind));
      }
    } else if (wantsToStop(lane, vehicle) && speech.isEmpty()) {
      vehicle.standing = true;
      vehicle.stopX = OptionalInt.empty();
      vehicle.secondsLeft = 2 + below(5, lane, 8);
      speech.say(" The %s %s stops.".formatted(colour, kind));
    }
  }

  /** Whether it has passed its stopping place, well within the picture and in plain view. */
  private boolean wantsToStop(Lane lane, Mover vehicle) {
    return vehicle.stopX.isPresent()
        && (vehicle.x > vehicle.stopX.getAsInt()) == (vehicle.speed > 0)
        && vehicle.x != vehicle.stopX.getAsInt()
        && vehicle.x > units(26)
        && vehicle.x < view.wide() - units(26)
        && 2 * cover.hides(lane.index, vehicle.x, vehicle.shape.width()) <= vehicle.shape.width();
  }

  @Override
  void finish() {
    lampSeconds--;
    if (lampSeconds <= 0 && speech.isEmpty()) {
      lamp = lamp.next();
      lampSeconds =
          lamp == Lamp.AMBER
              ? 3 + below(3, LAMP_TIME)
              : (8 + below(14, LAMP_TIME)) * 1000 / density;
      speech.say(" The light turns %s.".formatted(lamp.word()));
    }
  }

  @Override
  String caption(List<Seen> movers) {
    StringBuilder text = new StringBuilder(" light %s.".formatted(lamp.word()));
    for (Seen vehicle : movers) {
      text.append(" A %s %s ".formatted(vehicle.colour().word(), vehicle.shape().word()))
          .append(vehicle.moving() ? "to the %s.".formatted(vehicle.side()) : "stops.");
    }
    return text.toString();
  }

  @Override
  List<Question> questions(List<Seen> movers) {
    List<Question> questions = new ArrayList<>();
    questions.add(Question.ofSight("What colour is the light?", lamp.word()));
    if (allPlain(movers)) {
      questions.add(Question.ofSight("How many vehicles do you see?", Words.number(movers.size())));
    }
    questions.add(
        Question.ofText(
            "How many %s so far?".formatted(Words.plural(counted.word())),
            count,
            Words.number(count.value())));
    for (Shape kind : KINDS) {
      Fact<Colour> colour = entered.get(kind);
      if (colour != null) {
        questions.add(
            Question.ofText(
                "What colour was the last %s?".formatted(kind.word()),
                colour,
                colour.value().word()));
      }
      Fact<String> side = left.get(kind);
      if (side != null) {
        questions.add(
            Question.ofText(
                "Which side did the last %s leave to?".formatted(kind.word()), side, side.value()));
      }
    }
    return questions;
  }
}
