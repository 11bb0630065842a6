// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.Trace;
import io.everwatch.operators.verify.Accuracy.Beside;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The vision tower, for one case with what lies between its blocks. */
final class VisionGroup implements GoldenGroup {
  @Override
  public String name() {
    return "vision";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    for (JsonNode one : context.cases("vision/cases.json")) {
      String file = one.get("file").asText();
      Seen seen = new Seen(context.backend());
      context
          .accuracy()
          .vision(
              report,
              file,
              () -> {
                Tensors tensors = context.tensors("vision/" + file);
                float[] actual = encode(context, one, tensors, seen);
                return new Beside(actual, tensors.floats("output"), tensors.extent("output", 1));
              });
      if (one.get("trace").asBoolean()) {
        compareTrace(file, context, seen, report);
      }
    }
  }

  private static float[] encode(GoldenContext context, JsonNode one, Tensors tensors, Trace trace) {
    Model model = context.model(one.get("checkpoint").asText());
    List<Patches> clips = new ArrayList<>();
    float[] rows = StoredPatches.normalise(tensors.bytes("patches_u8"));
    int at = 0;
    for (JsonNode grid : one.get("grid_thw")) {
      int frames = grid.get(0).intValue();
      int height = grid.get(1).intValue();
      int width = grid.get(2).intValue();
      int size = frames * height * width * model.config().vision().patchWidth();
      clips.add(new Patches(Arrays.copyOfRange(rows, at, at + size), frames, height, width));
      at += size;
    }
    try (Arena arena = context.backend().arena()) {
      DeviceBuffer out = model.tower().encode(clips, arena, trace);
      int count = clips.stream().mapToInt(model.tower()::rows).sum();
      float[] values = new float[count * model.tower().outWidth()];
      context.backend().download(out, 0, values, 0, values.length);
      return values;
    }
  }

  /** The embedding is stored in the order of the processor, blocks in window order. */
  private static void compareTrace(
      String file, GoldenContext context, Seen seen, GoldenReport report) {
    Tensors tensors = context.tensors("vision/" + file);
    int[] order = tensors.ints("window_order");
    float[] embed = tensors.floats("patch_embed");
    int group = embed.length / order.length;
    float[] ordered = new float[embed.length];
    for (int i = 0; i < order.length; i++) {
      System.arraycopy(embed, order[i] * group, ordered, i * group, group);
    }
    context
        .accuracy()
        .between(
            report,
            file + " patch_embed",
            GoldenLimits.VISION_BLOCK,
            () -> new Beside(seen.values(Trace.Step.PATCH_EMBED, 0), ordered, ordered.length));
    for (int i = 0; tensors.has("block_" + i); i++) {
      int block = i;
      context
          .accuracy()
          .between(
              report,
              file + " block_" + block,
              GoldenLimits.VISION_BLOCK,
              () -> {
                float[] actual = seen.values(Trace.Step.BLOCK, block);
                return new Beside(actual, tensors.floats("block_" + block), actual.length);
              });
    }
  }
}
