// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.job.scene.Background.Clutter;
import io.everwatch.job.scene.FrameState.Placed;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;

/** The pictures of the training world (fixture: src/test/resources/scene/generate.py). */
class RoadRendererTest {
  private static final Path FIXTURE = Path.of("src/test/resources/scene");
  private static final int PICTURE_BYTES = 112 * 112 * 3;

  private final JsonNode cameras;
  private final ByteBuffer pictures;

  RoadRendererTest() throws IOException {
    cameras = new ObjectMapper().readTree(FIXTURE.resolve("road.json").toFile()).get("cameras");
    try (InputStream in =
        new InflaterInputStream(Files.newInputStream(FIXTURE.resolve("road.bin")))) {
      pictures = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  @Test
  void drawsNoiseFreeFramesByteForByteAsTheTrainingWorld() {
    int compared = 0;
    for (JsonNode camera : cameras) {
      RoadRenderer renderer = new RoadRenderer(background(camera.get("background")));
      for (JsonNode frame : camera.get("frames")) {
        assertThat(renderer.render(state(frame)))
            .as("seed %s, frame %s", camera.get("seed"), frame)
            .isEqualTo(nextPicture());
        compared++;
      }
      nextPicture();
    }
    assertThat(compared).isEqualTo(72);
  }

  @Test
  void addsGainAndNoiseAsTheTrainingWorld() {
    float[] noise = new float[112 * 112];
    int noiseAt = pictures.capacity() - noise.length * Float.BYTES;
    pictures
        .slice(noiseAt, noise.length * Float.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(noise);
    for (JsonNode camera : cameras) {
      RoadRenderer renderer = new RoadRenderer(background(camera.get("background")));
      camera.get("frames").forEach(frame -> nextPicture());
      FrameState first = state(camera.get("frames").get(0));
      assertThat(renderer.render(first, (float) camera.get("gain").asDouble(), noise))
          .isEqualTo(nextPicture());
    }
  }

  @Test
  void fixtureShowsEveryKindColourAndLampOnBothLanes() {
    List<String> seen = new ArrayList<>();
    cameras.findParents("lamp").forEach(frame -> seen.add(frame.get("lamp").asText()));
    cameras
        .findParents("lane")
        .forEach(
            vehicle -> {
              seen.add(vehicle.get("kind").asText());
              seen.add(vehicle.get("paint").asText());
              seen.add("lane " + vehicle.get("lane").asInt());
            });
    for (VehicleKind kind : VehicleKind.values()) {
      assertThat(seen).contains(kind.word());
    }
    for (Paint paint : Paint.values()) {
      assertThat(seen).contains(paint.word());
    }
    for (Lamp lamp : Lamp.values()) {
      assertThat(seen).contains(lamp.word());
    }
    assertThat(seen).contains("lane 0", "lane 1");
  }

  private byte[] nextPicture() {
    byte[] picture = new byte[PICTURE_BYTES];
    pictures.get(picture);
    return picture;
  }

  private static Background background(JsonNode node) {
    List<Clutter> clutter = new ArrayList<>();
    for (JsonNode patch : node.get("clutter")) {
      clutter.add(
          new Clutter(
              patch.get("x").asInt(),
              patch.get("y").asInt(),
              patch.get("width").asInt(),
              patch.get("height").asInt(),
              rgb(patch.get("colour"))));
    }
    return new Background(
        rgb(node.get("top")),
        rgb(node.get("bottom")),
        clutter,
        node.get("road").asDouble(),
        node.get("laneY").get(0).asInt(),
        node.get("laneY").get(1).asInt(),
        node.get("lamp").get(0).asInt(),
        node.get("lamp").get(1).asInt());
  }

  private static Rgb rgb(JsonNode node) {
    return new Rgb(node.get(0).asDouble(), node.get(1).asDouble(), node.get(2).asDouble());
  }

  private static FrameState state(JsonNode node) {
    List<Placed> vehicles = new ArrayList<>();
    for (JsonNode vehicle : node.get("vehicles")) {
      vehicles.add(
          new Placed(
              vehicle.get("lane").asInt(),
              VehicleKind.valueOf(upper(vehicle.get("kind"))),
              Paint.valueOf(upper(vehicle.get("paint"))),
              vehicle.get("x").asDouble()));
    }
    return new FrameState(vehicles, Lamp.valueOf(upper(node.get("lamp"))));
  }

  private static String upper(JsonNode word) {
    return word.asText().toUpperCase(Locale.ROOT);
  }
}
