// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.ModelTokens;
import io.everwatch.operators.model.RopePositions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Three-axis positions of whole prompts, in the normal and in the streaming mode. */
final class PositionsGroup implements GoldenGroup {
  private static final String CHECKPOINT = "tiny_a";

  /** Patches on the side of a merge group. */
  private static final int MERGE = 2;

  @Override
  public String name() {
    return "positions";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    ModelTokens tokens = context.model(CHECKPOINT).config().tokens();
    for (JsonNode one : context.cases("positions/cases.json")) {
      String name = one.get("name").asText();
      int[] ids = GoldenContext.ints(one.get("input_ids"));
      List<VideoGrid> pictures = new ArrayList<>();
      one.get("image_grid_thw").forEach(grid -> pictures.add(grid(grid, 0)));
      List<VideoGrid> clips = new ArrayList<>();
      for (int i = 0; i < one.get("video_grid_thw").size(); i++) {
        double seconds = one.get("second_per_grid_ts").get(i).asDouble();
        clips.add(
            grid(
                one.get("video_grid_thw").get(i),
                (float) (seconds * one.get("tokens_per_second").asDouble())));
      }
      report.within(
          name,
          GoldenLimits.EXACT,
          () -> {
            RopePositions positions = RopePositions.of(ids, tokens, pictures, clips, true);
            return Math.max(
                difference(positions, one.get("position_ids")),
                Math.abs(positions.delta() - one.get("rope_delta").asDouble()));
          });
      report.within(
          name + " streaming",
          GoldenLimits.EXACT,
          () ->
              difference(
                  RopePositions.of(ids, tokens, pictures, clips, false),
                  one.get("streaming_position_ids")));
    }
  }

  /** A stored grid, in patches, as one in vision tokens. */
  static VideoGrid grid(JsonNode patches, float timeStep) {
    return new VideoGrid(
        patches.get(0).intValue(),
        patches.get(1).intValue() / MERGE,
        patches.get(2).intValue() / MERGE,
        timeStep);
  }

  private static double difference(RopePositions positions, JsonNode expected) {
    double worst = 0;
    for (int axis = 0; axis < 3; axis++) {
      float[] wanted = new float[expected.get(axis).size()];
      for (int i = 0; i < wanted.length; i++) {
        wanted[i] = expected.get(axis).get(i).floatValue();
      }
      worst = Math.max(worst, Differences.largest(positions.positions()[axis], wanted));
    }
    return worst;
  }
}
