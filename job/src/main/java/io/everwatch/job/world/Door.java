// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import io.everwatch.job.world.Dice.Purpose;
import io.everwatch.job.world.View.Occluder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A door: people go in, come out or pass by. How many are inside is told after each; bags or
 * parcels that pass the door are counted. Who goes in stood at the door in the frame before and is
 * absent; who comes out was absent before.
 */
final class Door extends Scene {
  /** Nobody goes in beyond it. */
  private static final int FULL = 20;

  /** In units. */
  static final int HALF_WIDTH = 12;

  private static final Shape PERSON = Shape.PERSON;

  private enum Role {
    IN,
    OUT,
    PASS
  }

  private static final Role[] ROLES = {Role.IN, Role.IN, Role.OUT, Role.OUT, Role.PASS};
  private static final Item[] ITEMS = {Item.NOTHING, Item.NOTHING, Item.BAG, Item.PARCEL};

  /** Middle of the door, in 256ths of a unit. */
  final int doorX;

  private final Item counted;
  private Fact<Integer> insideNow = Fact.given(0);
  private Fact<Integer> count = Fact.given(0);
  private Optional<Fact<Colour>> wentIn = Optional.empty();
  private Optional<Fact<Colour>> cameOut = Optional.empty();
  private Optional<Fact<String>> left = Optional.empty();

  Door(WorldScene scene) {
    this(scene, new Dice(scene.seed(), Purpose.PLACE));
  }

  private Door(WorldScene scene, Dice place) {
    this(scene, place, doorX(scene.view(), place));
  }

  private Door(WorldScene scene, Dice place, int doorX) {
    super(
        scene,
        new Lane(0, 88 + place.below(5, 0, 0)),
        new Lane(1, 100 + place.below(6, 0, 1)),
        cover(scene.view(), doorX),
        4);
    this.doorX = doorX;
    Item drawn = below(2, FIRST) == 0 ? Item.BAG : Item.PARCEL;
    counted =
        scene
            .counted()
            .map(word -> word.equals(Item.BAG.word()) ? Item.BAG : Item.PARCEL)
            .orElse(drawn);
  }

  private static int doorX(View view, Dice place) {
    return view.wide() * 3 / 8 + place.below(view.wide() / 4, 0, 2);
  }

  /** In the middle of the wider side; slim where somebody could leave from behind it unseen. */
  private static Cover cover(View view, int doorX) {
    if (view.occluder() == Occluder.NONE) {
      return Cover.NONE;
    }
    boolean right = 2 * doorX < view.wide();
    int border = right ? view.wide() : 0;
    int x = (doorX + units(right ? HALF_WIDTH : -HALF_WIDTH) + border) / 2;
    boolean wide =
        view.occluder() == Occluder.TREE && Math.abs(border - x) >= units(7 + 14) + view.inset();
    int half = units(wide ? 7 : 4);
    return new Cover(x, half, half);
  }

  @Override
  String instruction() {
    return " Watch the door and count the %s.".formatted(Words.plural(counted.word()));
  }

  @Override
  Optional<Lamp> lamp() {
    return Optional.empty();
  }

  @Override
  void tellDeparture(Mover person) {
    speech.say(
        " The person in %s leaves to the %s.".formatted(person.colour.word(), person.side()));
    left = Optional.of(Fact.told(person.side(), second));
  }

  @Override
  boolean arrive(Lane lane) {
    Role role = possible(oneOf(ROLES, lane, 6));
    if (role == Role.OUT && !(speech.isEmpty() && doorIsFree(lane))) {
      return false;
    }
    Item item = oneOf(ITEMS, lane, 1);
    Colour colour = oneOf(Colour.values(), lane, 2);
    boolean toTheRight = below(2, lane, 4) == 1;
    int speed = (units(8) + below(units(8) + 1, lane, 3)) * (toTheRight ? 1 : -1);
    int start = role == Role.OUT ? doorX : entry(lane, PERSON.width(), toTheRight);
    OptionalInt goal = role == Role.IN ? OptionalInt.of(doorX) : OptionalInt.empty();
    Mover person =
        new Mover(PERSON, colour, item, speed, before(start, speed), OptionalInt.empty(), goal);
    lane.mover = person;
    if (role == Role.OUT) {
      tellPassage(person, "comes out", -1);
      cameOut = Optional.of(Fact.told(colour, second));
    }
    return true;
  }

  private Role possible(Role drawn) {
    long goingIn =
        Stream.of(back, front)
            .filter(lane -> lane.mover != null && lane.mover.goal.isPresent())
            .count();
    if (drawn == Role.IN && insideNow.value() + goingIn >= FULL) {
      return Role.OUT;
    }
    return drawn == Role.OUT && insideNow.value() == 0 ? Role.IN : drawn;
  }

  /** Whether nobody in front hides who passes the door, now or in the frame before. */
  private boolean doorIsFree(Lane lane) {
    Mover hiding = front.mover;
    return lane == front
        || hiding == null
        || Math.abs(hiding.x - doorX) >= units(18) + Math.abs(hiding.speed);
  }

  @Override
  void act(Lane lane, Mover person) {
    if (person.isAtGoal()) {
      person.standing = true;
      if (speech.isEmpty() && doorIsFree(lane)) {
        tellPassage(person, "goes in", 1);
        wentIn = Optional.of(Fact.told(person.colour, second));
        lane.clear(second);
      }
    }
  }

  private void tellPassage(Mover person, String verb, int change) {
    speech.say(" A person in %s".formatted(person.colour.word()));
    if (person.item != Item.NOTHING) {
      speech.say(" with a %s".formatted(person.item.word()));
    }
    if (person.item == counted) {
      int now = count.value() % Words.ROUND + 1;
      speech.say(" number ").recall(Due.What.NUMBER, Words.number(now), count);
      count = Fact.told(now, second);
    }
    int now = insideNow.value() + change;
    speech.say(" %s, ".formatted(verb)).recall(Due.What.INSIDE, Words.number(now), insideNow);
    speech.say(" inside.");
    insideNow = Fact.told(now, second);
  }

  @Override
  void finish() {}

  @Override
  String caption(List<Seen> movers) {
    if (movers.isEmpty()) {
      return " none.";
    }
    StringBuilder text = new StringBuilder();
    for (Seen person : movers) {
      text.append(" A person in ").append(person.colour().word());
      if (person.item() != Item.NOTHING) {
        text.append(" with a ").append(person.item().word());
      }
      text.append(person.moving() ? " to the %s.".formatted(person.side()) : " stops.");
    }
    return text.toString();
  }

  @Override
  List<Question> questions(List<Seen> movers) {
    List<Question> questions = new ArrayList<>();
    boolean apart =
        movers.size() < 2
            || Math.abs(movers.get(0).lastX() - movers.get(1).lastX()) >= PERSON.width() / 2;
    if (apart && allPlain(movers)) {
      questions.add(Question.ofSight("How many people do you see?", Words.number(movers.size())));
    }
    questions.add(
        Question.ofText("How many people are inside?", insideNow, Words.number(insideNow.value())));
    questions.add(
        Question.ofText(
            "How many %s so far?".formatted(Words.plural(counted.word())),
            count,
            Words.number(count.value())));
    wentIn.ifPresent(
        fact ->
            questions.add(Question.ofText("What colour went in last?", fact, fact.value().word())));
    cameOut.ifPresent(
        fact ->
            questions.add(
                Question.ofText("What colour came out last?", fact, fact.value().word())));
    left.ifPresent(
        fact ->
            questions.add(
                Question.ofText("Which side did the last person leave to?", fact, fact.value())));
    return questions;
  }
}
