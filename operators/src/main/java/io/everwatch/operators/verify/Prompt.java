// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelTokens;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.RopePositions;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A whole prompt of the {@code forward} group.
 *
 * @param media pictures and clips in the order of their pads
 * @param pads indices of the pads in {@code ids}
 */
record Prompt(int[] ids, List<Patches> media, int[] pads, RopePositions positions) {
  static Prompt read(JsonNode one, Tensors tensors, Model model) {
    ModelTokens tokens = model.config().tokens();
    int[] ids = tensors.ints("input_ids");
    List<Patches> media = new ArrayList<>();
    List<VideoGrid> pictures = new ArrayList<>();
    List<VideoGrid> clips = new ArrayList<>();
    for (JsonNode medium : one.get("media")) {
      JsonNode grid = medium.get("grid_thw");
      byte[] bytes = tensors.bytes("media_%d_patches_u8".formatted(media.size()));
      media.add(
          new Patches(
              StoredPatches.normalise(bytes),
              grid.get(0).intValue(),
              grid.get(1).intValue(),
              grid.get(2).intValue()));
      if (medium.get("kind").asText().equals("image")) {
        pictures.add(PositionsGroup.grid(grid, 0));
      } else {
        double seconds = one.get("second_per_grid_ts").get(clips.size()).asDouble();
        double step = seconds * model.config().vision().tokensPerSecond();
        clips.add(PositionsGroup.grid(grid, (float) step));
      }
    }
    int[] pads =
        IntStream.range(0, ids.length)
            .filter(i -> ids[i] == tokens.imagePad() || ids[i] == tokens.videoPad())
            .toArray();
    return new Prompt(ids, media, pads, RopePositions.of(ids, tokens, pictures, clips, true));
  }
}
