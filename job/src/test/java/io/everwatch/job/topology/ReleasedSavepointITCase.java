// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.everwatch.operators.model.ModelFolder;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.WireFormatException;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * State that a release wrote, restored by this build: a native savepoint of the whole job, on a
 * broker and in a folder that it has never seen.
 */
@Timeout(180)
class ReleasedSavepointITCase {
  /** The field of the text event that the first release did not have. */
  private static final String MEMORY = "memory";

  private static final String RELEASE = "everwatch.savepoint";
  private static final List<String> STREAMS = List.of("north", "south");
  private static final Set<TextKind> SAID = Set.of(TextKind.COMMENT, TextKind.SILENCE);

  @TempDir private Path dir;

  static List<Path> releases() throws IOException, URISyntaxException {
    Path all =
        Path.of(
            Objects.requireNonNull(ReleasedSavepointITCase.class.getResource("/savepoints"))
                .toURI());
    try (Stream<Path> found = Files.list(all)) {
      return found.sorted().toList();
    }
  }

  private static Path newest() throws Exception {
    List<Path> all = releases();
    return all.get(all.size() - 1);
  }

  /** {@code mvn verify … -Deverwatch.savepoint=VERSION}; see CONTRIBUTING.md. */
  @Test
  @EnabledIfSystemProperty(named = RELEASE, matches = ".+")
  void makesTheSavepointOfARelease() throws Exception {
    Path target = Path.of("src/test/resources/savepoints", System.getProperty(RELEASE, ""));
    SavepointMaker.make(dir, target);
    assertThat(FileUtils.sizeOfDirectory(target.toFile()))
        .as("bytes that every clone has to carry")
        .isLessThan(3 << 20);
  }

  @ParameterizedTest
  @MethodSource("releases")
  void eachStreamGoesOnWithTheBytesOfTheUninterruptedRun(Path release) throws Exception {
    RecordedRun run = RecordedRun.read(release);
    List<Continued> streams = goOn(release, run, "parallelism", "1");

    for (Continued stream : streams) {
      if (stream.sameModelAndNumerics()) {
        stream.mustTellOfTheMemory();
        assertThat(stream.saidWithout(MEMORY)).isEqualTo(stream.expected);
      } else { // a later release has another model: what must hold whatever it says
        stream.mustHold();
      }
    }
  }

  @Test
  void otherNumericsAreMarkedAndNothingIsLost() throws Exception {
    RecordedRun run = RecordedRun.read(newest());

    for (Continued stream : goOn(newest(), run, "engine.plain-products", "false")) {
      stream.mustHold();
      assertThat(stream.said.get(0).getMarks()).contains(Mark.NUMERICS_CHANGED);
    }
  }

  @Test
  void anotherModelRebuildsEveryStreamAndNothingIsLost() throws Exception {
    RecordedRun run = RecordedRun.read(newest());

    for (Continued stream : goOn(newest(), run, "model", otherWeights().toString())) {
      stream.mustHold();
      assertThat(stream.said.get(0).getMarks()).contains(Mark.REBUILT);
      assertThat(stream.said)
          .noneMatch(
              event -> event.getModelDigest().equals(stream.expected.get(0).getModelDigest()));
    }
  }

  @Test
  void strictNumericsDoesNotStartAndSaysWhatDiffers() throws Exception {
    RecordedRun run = RecordedRun.read(newest());
    try (House house = new House(dir)) {
      run.sendTo(house);
      try (LocalJob job =
          house.start(
              house.config(
                  SavepointMaker.settings(
                      "engine.plain-products", "false", "strict-numerics", "true")),
              savepoint(newest()))) {
        assertThatThrownBy(() -> job.ended().get(60, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .hasStackTraceContaining("they differ in back end: ")
            .hasStackTraceContaining("strict-numerics: false");
      }
      assertThat(house.committedBytes("north")).hasSize(run.before("north"));
    }
  }

  /**
   * A stream after the savepoint.
   *
   * @param expected of the uninterrupted run
   */
  private record Continued(List<TextEvent> expected, List<TextEvent> said) {
    boolean sameModelAndNumerics() {
      TextEvent one = expected.get(0);
      TextEvent other = said.get(0);
      return one.getModelDigest().equals(other.getModelDigest())
          && one.getNumericsDigest().equals(other.getNumericsDigest());
    }

    /**
     * What the release said it says again; of its memory it did not tell, nor did it count the rows
     * that came into it.
     */
    void mustTellOfTheMemory() {
      List<MemoryFigures> figures =
          said.stream().map(TextEvent::getMemory).filter(Objects::nonNull).toList();
      long first =
          said.stream()
              .filter(event -> event.getMemory() != null)
              .findFirst()
              .orElseThrow()
              .getRound();
      assertThat(figures)
          .isNotEmpty()
          .allMatch(one -> one.getCountedFromRound() == first)
          .extracting(MemoryFigures::getComputedRows)
          .isSorted();
      MemoryFigures one = figures.get(0);
      assertThat(one.getComputedRows())
          .as("what the release left, and one round")
          .isEqualTo(
              one.getVisionRows()
                  + one.getGeneratedRows()
                  + one.getContextRows()
                  + one.getRestRows());
    }

    List<TextEvent> saidWithout(String field) {
      return said.stream()
          .map(
              event -> {
                TextEvent copy = TextEvent.newBuilder(event).build();
                copy.put(field, null);
                return copy;
              })
          .toList();
    }

    /** Every second has its event, once, in order, of the frames that it had before. */
    void mustHold() {
      assertThat(said)
          .extracting(
              TextEvent::getChunk,
              TextEvent::getSubject,
              TextEvent::getRound,
              TextEvent::getFrames,
              TextEvent::getSources)
          .isEqualTo(
              expected.stream()
                  .map(
                      event ->
                          tuple(
                              event.getChunk(),
                              event.getSubject(),
                              event.getRound(),
                              event.getFrames(),
                              event.getSources()))
                  .toList());
      assertThat(said)
          .filteredOn(event -> event.getSubject().isEmpty())
          .allMatch(event -> SAID.contains(event.getKind()));
      assertThat(said.subList(1, said.size()))
          .as("only the first event is marked")
          .allMatch(event -> event.getMarks().isEmpty());
    }
  }

  private List<Continued> goOn(Path release, RecordedRun run, String... settings) throws Exception {
    try (House house = new House(dir)) {
      run.sendTo(house);
      try (LocalJob job =
          house.start(house.config(SavepointMaker.settings(settings)), savepoint(release))) {
        house.committedUntil(texts -> EverwatchTopologyITCase.ended(texts) == STREAMS.size());
      }
      assertThat(house.deadLetters()).isEmpty();
      List<Continued> streams = new ArrayList<>();
      for (String stream : STREAMS) {
        List<TextEvent> before = events(run.text(stream));
        List<TextEvent> after = events(house.committedBytes(stream));
        int said = run.before(stream);
        assertThat(after.subList(0, said)).isEqualTo(before.subList(0, said));
        streams.add(
            new Continued(before.subList(said, before.size()), after.subList(said, after.size())));
      }
      return streams;
    }
  }

  private static Optional<Path> savepoint(Path release) {
    return Optional.of(release.resolve(SavepointMaker.SAVEPOINT));
  }

  private static List<TextEvent> events(List<byte[]> values) throws WireFormatException {
    List<TextEvent> events = new ArrayList<>();
    for (byte[] value : values) {
      events.add(WireFormat.decodeText(value));
    }
    return events;
  }

  /** The shipped model with one weight changed. */
  private Path otherWeights() throws IOException {
    Path own = ModelFolder.open("everwatch-tiny").directory();
    Path copy = dir.resolve("other-model");
    FileUtils.copyDirectory(own.toFile(), copy.toFile());
    Path weights = copy.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 2] ^= 0x40; // the first bit behind the point of the last bf16
    Files.write(weights, bytes);
    return copy;
  }
}
