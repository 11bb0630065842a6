// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.job.cli.Everwatch;
import io.everwatch.job.cli.ExitCodes;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands as a person uses them: a real clip into Kafka, through the job, onto the screen. */
class CameraToWatchITCase {
  private static final String CLIPS = "src/test/resources/video/";
  private static final String START = "2026-01-01T00:00:00Z";

  @TempDir private Path dir;

  @Test
  @Timeout(120)
  void everySecondOfTheClipsIsAccountedFor() throws Exception {
    try (House house = new House(dir);
        LocalJob job = house.start(house.config(), Optional.empty())) {
      camera(house, "cars", "car-detection.mp4");
      camera(house, "bottles", "bottle-detection.mp4", "--fps", "5");

      List<JsonNode> events = watch(house, "cars", "bottles");

      // 250 frames of 80 ms; 1189 of 384 / 11456 s: the last second is begun and counts
      assertCovered(events, "cars", 20);
      assertCovered(events, "bottles", 40);
      assertThat(house.deadLetters()).isEmpty();
    }
  }

  private static void camera(House house, String stream, String clip, String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("camera", "--input", CLIPS + clip, "--stream", stream, "--fast"));
    arguments.addAll(List.of("--brokers", house.address(), "--start", START));
    arguments.addAll(List.of(more));
    run(arguments, new StringWriter());
  }

  private static List<JsonNode> watch(House house, String... streams) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("watch", "--format", "json", "--committed"));
    arguments.addAll(List.of("--from-beginning", "--until-ended"));
    arguments.addAll(List.of("--brokers", house.address()));
    for (String stream : streams) {
      arguments.addAll(List.of("--stream", stream));
    }
    StringWriter out = new StringWriter();
    run(arguments, out);
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> events = new ArrayList<>();
    for (String line : out.toString().lines().toList()) {
      events.add(json.readTree(line));
    }
    return events;
  }

  private static void run(List<String> arguments, StringWriter out) {
    StringWriter err = new StringWriter();
    assertThat(
            Everwatch.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(String[]::new)))
        .as(err.toString())
        .isEqualTo(ExitCodes.OK);
  }

  private static void assertCovered(List<JsonNode> all, String stream, int seconds) {
    long start = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.parse(START));
    List<JsonNode> events =
        all.stream()
            .filter(event -> event.get("streamId").asText().equals(stream))
            .filter(event -> !event.get("kind").asText().equals("ENDED"))
            .toList();
    assertThat(events)
        .as(stream)
        .hasSize(seconds)
        .allSatisfy(event -> assertThat(event.get("kind").asText()).isIn("COMMENT", "SILENCE"));
    for (int t = 0; t < seconds; t++) {
      assertThat(events.get(t).get("chunk").asLong()).isEqualTo(t);
      assertThat(events.get(t).get("startMicros").asLong()).isEqualTo(start + t * 1_000_000L);
    }
  }
}
