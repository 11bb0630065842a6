// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.kernels.Arena;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.operators.model.BadFrameException;
import io.everwatch.operators.model.ClipPictures;
import io.everwatch.operators.model.FrameProcessor;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.RgbImage;
import io.everwatch.operators.model.VisionClip;
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
      if (context.backend().patchMaker().isPresent()) {
        report.within(
            name + " patches of the device",
            GoldenLimits.EXACT,
            () -> deviceDifference(context, one, pictures(frames, name), made.get(0)));
      }
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

  /** Between the patches that the device makes and those of the host, as the tower takes both. */
  private static double deviceDifference(
      GoldenContext context, JsonNode one, List<RgbImage> frames, Patches patches)
      throws BadFrameException {
    Model model = context.model(CHECKPOINT);
    ClipPictures pictures =
        model
            .processor()
            .pictures(frames, one.get("min_pixels").asLong(), one.get("max_pixels").asLong());
    return Differences.largest(pixels(context, model, pictures), pixels(context, model, patches));
  }

  private static float[] pixels(GoldenContext context, Model model, VisionClip clip) {
    float[] values = new float[clip.count() * model.config().vision().patchWidth()];
    try (Arena arena = context.backend().arena()) {
      DeviceBuffer pixels = model.tower().pixels(List.of(clip), arena);
      context.backend().download(pixels, 0, values, 0, values.length);
    }
    return values;
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
