// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.operators.model.FrameProcessor;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.RgbImage;
import io.everwatch.operators.verify.GoldenContext.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Frames to patches, and the table of target sizes. */
final class ProcessorGroup implements GoldenGroup {
  private static final String CHECKPOINT = "tiny_a";

  @Override
  public String name() {
    return "processor";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    FrameProcessor processor = context.model(CHECKPOINT).processor();
    Tensors frames = context.tensors("processor/frames.safetensors");
    Tensors bytes = context.tensors("processor/patches_u8.safetensors");
    Tensors values = context.tensors("processor/pixel_values.safetensors");
    for (JsonNode one : context.cases("processor/cases.json")) {
      String name = one.get("name").asText();
      List<Patches> made = new ArrayList<>();
      report.exact(
          name + " grid",
          () -> {
            made.add(
                processor.patches(
                    pictures(frames, name),
                    one.get("min_pixels").asLong(),
                    one.get("max_pixels").asLong()));
            Patches patches = made.get(0);
            return Differences.between(
                new int[] {patches.frames(), patches.height(), patches.width()},
                GoldenContext.ints(one.get("grid_thw")));
          });
      // Each of the 256 values of a channel has a float32 of its own: equal means equal bytes.
      report.within(
          name + " patches",
          GoldenLimits.EXACT,
          () ->
              Differences.largest(made.get(0).rows(), StoredPatches.normalise(bytes.bytes(name))));
      if (values.has(name)) {
        report.within(
            name + " pixel_values",
            GoldenLimits.PIXELS,
            () -> Differences.largest(made.get(0).rows(), values.floats(name)));
      }
    }
    for (JsonNode row : context.cases("processor/smart_resize.json")) {
      report.exact("smart_resize " + row, () -> sizeDifference(processor, row));
    }
  }

  private static List<RgbImage> pictures(Tensors frames, String name) {
    int count = frames.extent(name, 0);
    int height = frames.extent(name, 1);
    int width = frames.extent(name, 2);
    byte[] all = frames.bytes(name);
    int size = all.length / count;
    List<RgbImage> pictures = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pictures.add(new RgbImage(width, height, Arrays.copyOfRange(all, i * size, (i + 1) * size)));
    }
    return pictures;
  }

  /** Row: height, width, min, max, [height, width] or null for a rejected aspect ratio. */
  private static String sizeDifference(FrameProcessor processor, JsonNode row) {
    String size;
    try {
      FrameProcessor.Size target =
          processor.targetSize(
              row.get(0).intValue(),
              row.get(1).intValue(),
              row.get(2).longValue(),
              row.get(3).longValue());
      size = "[%d,%d]".formatted(target.height(), target.width());
    } catch (BadFrameException e) {
      size = "null";
    }
    return Differences.between(size, row.get(4).toString());
  }
}
