// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.scene.FrameState.Placed;
import io.everwatch.job.scene.RoadWorld.Second;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoadWorldTest {
  private static final int SECONDS = 4000;

  @Test
  void sameSceneGivesTheSameSecondsAndTheSameBytes() {
    RoadWorld one = new RoadWorld(RoadScene.ofSeed(17));
    RoadWorld other = new RoadWorld(RoadScene.ofSeed(17));
    for (int t = 0; t < 200; t++) {
      Second second = one.next();
      assertThat(other.next()).isEqualTo(second);
      for (FrameState frame : second.frames()) {
        assertThat(one.expose(frame)).isEqualTo(other.expose(frame));
      }
    }
  }

  @Test
  void anotherSeedGivesAnotherRoad() {
    assertThat(truths(new RoadWorld(RoadScene.ofSeed(1)), 300))
        .isNotEqualTo(truths(new RoadWorld(RoadScene.ofSeed(2)), 300));
  }

  @Test
  void exposingFramesDoesNotChangeTheEvents() {
    RoadWorld seen = new RoadWorld(RoadScene.ofSeed(5));
    List<String> truths = new ArrayList<>();
    for (int t = 0; t < 100; t++) {
      Second second = seen.next();
      second.frames().forEach(seen::expose);
      truths.add(second.truth());
    }
    assertThat(truths).isEqualTo(truths(new RoadWorld(RoadScene.ofSeed(5)), 100));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void saysOneEventASecondButForTwoDepartures(long seed) {
    for (String truth : truths(new RoadWorld(RoadScene.ofSeed(seed)), SECONDS)) {
      List<String> sentences =
          Stream.of(truth.split("(?<=\\.)")).filter(s -> !s.isEmpty()).toList();
      assertThat(sentences).as(truth).hasSizeLessThanOrEqualTo(2);
      if (sentences.size() == 2) {
        assertThat(sentences).allSatisfy(sentence -> assertThat(sentence).contains(" leaves to "));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {4, 5, 6})
  void vehiclesEnterAndLeaveVisiblyAndAreNeverShownWithoutBeingAnnounced(long seed) {
    RoadWorld world = new RoadWorld(RoadScene.ofSeed(seed));
    List<Placed> before = List.of(); // of the first frame of the second before
    for (int t = 0; t < SECONDS; t++) {
      Second second = world.next();
      List<Placed> first = second.frames().get(0).vehicles();
      List<Placed> last = second.frames().get(1).vehicles();
      assertThat(lanes(first)).isEqualTo(lanes(last));
      for (Placed vehicle : first) {
        if (!lanes(before).contains(vehicle.lane())) {
          assertThat(visible(vehicle)).isGreaterThanOrEqualTo(0.4 - 1e-9);
          assertThat(second.truth()).contains(" " + vehicle.kind().word(), " enters from the ");
        }
      }
      for (Placed vehicle : before) {
        if (!lanes(first).contains(vehicle.lane())) {
          assertThat(visible(vehicle)).isGreaterThanOrEqualTo(0.3);
          assertThat(second.truth())
              .contains(
                  " The %s %s leaves to the "
                      .formatted(vehicle.paint().word(), vehicle.kind().word()));
        }
      }
      before = first;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {7, 8})
  void stopsAndMovesOnAreTheFirstSecondsWithoutAndWithMotion(long seed) {
    RoadWorld world = new RoadWorld(RoadScene.ofSeed(seed));
    List<Placed> before = List.of();
    Set<Integer> standing = new HashSet<>();
    int stops = 0;
    for (int t = 0; t < SECONDS; t++) {
      Second second = world.next();
      List<Placed> last = second.frames().get(1).vehicles();
      for (Placed now : last) {
        Optional<Placed> then = before.stream().filter(p -> p.lane() == now.lane()).findFirst();
        if (then.isEmpty()) {
          standing.remove(now.lane());
          continue;
        }
        boolean still = then.get().centerX() == now.centerX();
        String name = " The %s %s".formatted(now.paint().word(), now.kind().word());
        if (still && standing.add(now.lane())) {
          assertThat(second.truth()).isEqualTo(name + " stops.");
          stops++;
        } else if (!still && standing.remove(now.lane())) {
          assertThat(second.truth()).isEqualTo(name + " moves on.");
        }
      }
      before = last;
    }
    assertThat(stops).isPositive();
  }

  @Test
  void lampChangesOnlyWhenItIsSaid() {
    RoadWorld world = new RoadWorld(RoadScene.ofSeed(9));
    Lamp before = world.next().frames().get(0).lamp();
    int changes = 0;
    for (int t = 0; t < SECONDS; t++) {
      Second second = world.next();
      Lamp now = second.frames().get(0).lamp();
      assertThat(second.frames().get(1).lamp()).isEqualTo(now);
      assertThat(second.truth().contains(" The light turns ")).isEqualTo(now != before);
      if (now != before) {
        assertThat(now).isEqualTo(before.next());
        changes++;
      }
      before = now;
    }
    assertThat(changes).isGreaterThan(100);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cars", "buses", "bikes"})
  void numbersTheEntriesOfTheCountedKindOneByOneInRoundsOfTwenty(String plural) {
    VehicleKind counted = VehicleKind.ofPlural(plural);
    RoadWorld world = new RoadWorld(new RoadScene(11, 0.8, Optional.of(counted)));
    assertThat(world.instruction()).isEqualTo(" Watch the road and count the " + plural + ".");
    int count = 0;
    for (String truth : truths(world, SECONDS)) {
      if (truth.contains(" %s ".formatted(counted.word())) && Sentences.isEntry(truth)) {
        assertThat(Sentences.number(truth)).isEqualTo(OptionalInt.of(count % 20 + 1));
        count++;
      } else {
        assertThat(Sentences.number(truth)).isEmpty();
      }
    }
    assertThat(count).isGreaterThan(40);
  }

  @Test
  void roadOfASeedIsTheSameWhateverIsCounted() {
    List<String> cars = truths(new RoadWorld(counting(VehicleKind.CAR)), 500);
    List<String> bikes = truths(new RoadWorld(counting(VehicleKind.BIKE)), 500);
    assertThat(cars.stream().map(Sentences::withoutNumber))
        .isEqualTo(bikes.stream().map(Sentences::withoutNumber).toList());
  }

  @Test
  void defaultDensityGivesAnEventInAboutFourOfTenSeconds() {
    long eventful = 0;
    for (long seed = 0; seed < 10; seed++) {
      eventful +=
          truths(new RoadWorld(RoadScene.ofSeed(seed)), SECONDS).stream()
              .filter(truth -> !truth.isEmpty())
              .count();
    }
    // the training world: 0.38 at density 0.8
    assertThat(eventful / (10.0 * SECONDS)).isBetween(0.36, 0.40);
  }

  @Test
  void sensorNoiseHasItsDeviation() {
    RoadWorld world = new RoadWorld(RoadScene.ofSeed(3));
    FrameState state = new FrameState(List.of(), Lamp.RED);
    byte[] clean = new RoadRenderer(world.background()).render(state);
    double sum = 0;
    double squares = 0;
    int n = 0;
    for (int shot = 0; shot < 200; shot++) {
      byte[] seen = world.expose(state);
      for (int i = 0; i < 3 * 112 * 20; i += 3) {
        double difference = (seen[i] & 0xff) - (clean[i] & 0xff);
        sum += difference;
        squares += difference * difference;
        n++;
      }
    }
    double mean = sum / n;
    // pixel noise 5, gain 0.02 x about 140, quantisation
    assertThat(Math.sqrt(squares / n - mean * mean)).isBetween(4.8, 7.0);
    assertThat(mean).isBetween(-1.5, 1.5);
  }

  @Test
  void refusesAnAbsurdDensityAndAnUnknownKind() {
    assertThatThrownBy(() -> new RoadScene(1, 0, Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("density 0.0");
    assertThatThrownBy(() -> VehicleKind.ofPlural("trams"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the road cannot count 'trams'; it counts one of cars, buses, bikes");
  }

  private static RoadScene counting(VehicleKind kind) {
    return new RoadScene(21, 0.8, Optional.of(kind));
  }

  private static List<String> truths(RoadWorld world, int seconds) {
    return Stream.generate(world::next).limit(seconds).map(Second::truth).toList();
  }

  private static Set<Integer> lanes(List<Placed> vehicles) {
    Set<Integer> lanes = new HashSet<>();
    vehicles.forEach(vehicle -> lanes.add(vehicle.lane()));
    return lanes;
  }

  private static double visible(Placed vehicle) {
    double half = vehicle.kind().width() / 2.0;
    double left = Math.max(0, vehicle.centerX() - half);
    double right = Math.min(112, vehicle.centerX() + half);
    return (right - left) / vehicle.kind().width();
  }
}
