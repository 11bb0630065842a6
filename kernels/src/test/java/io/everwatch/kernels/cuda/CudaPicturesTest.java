// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.PatchShape;
import io.everwatch.kernels.PlacedPicture;
import io.everwatch.kernels.ResizeTaps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Pictures resized and cut on the device, against the specification written out. */
@RequiresDevice
class CudaPicturesTest {
  /** Small patches, so that a few pixels make several windows; sizes as in the model's ratio. */
  private static final PatchShape SHAPE = new PatchShape(3, 2, 2, 2, values());

  private static float[][] values() {
    float[][] values = new float[3][256];
    for (int channel = 0; channel < 3; channel++) {
      for (int value = 0; value < 256; value++) {
        values[channel][value] = (value / 255f - 0.4f - 0.01f * channel) / 0.27f;
      }
    }
    return values;
  }

  private static float[] patches(
      CudaDevice device, DType type, List<PlacedPicture> pictures, int count) {
    try (CudaStream stream = CudaStream.open(device);
        DeviceArrays arrays = new DeviceArrays(device);
        UploadRing ring = new UploadRing(stream, 2, 1024)) {
      int elements = count * SHAPE.columns();
      long out = arrays.bytes(4L * elements);
      new CudaPictures(device, type)
          .patches(stream, pictures, SHAPE, ring, arrays::bytes, out, count);
      stream.synchronize();
      return type == DType.BF16 ? arrays.widened(out, elements) : arrays.floats(out, elements);
    }
  }

  private static PlacedPicture noise(
      int width, int height, int toWidth, int toHeight, int from, int to, long patch) {
    byte[] rgb = new byte[3 * width * height];
    new Random(31L * width + height).nextBytes(rgb);
    return new PlacedPicture(rgb, width, height, toWidth, toHeight, from, to, patch);
  }

  @ParameterizedTest
  @CsvSource({
    "30, 18, 30, 18", // copied
    "61, 37, 30, 18", // smaller
    "17, 11, 30, 18", // larger
    "30, 37, 30, 18", // rows alone
    "61, 18, 30, 18", // columns alone
    "1, 1, 6, 6",
    "200, 5, 6, 6",
    "40, 25, 42, 30" // windows cut off on both sides
  })
  void onePictureIsWhatTheSpecificationSays(int width, int height, int toWidth, int toHeight) {
    PlacedPicture picture = noise(width, height, toWidth, toHeight, 0, 2, 0);
    int count = toWidth * toHeight / 9;

    float[] got = EveryOrder.run(device -> patches(device, DType.F32, List.of(picture), count));

    EveryOrder.assertSameBits(expected(List.of(picture), count), got, "patches");
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "F16")
  void picturesOfManySizesAndFramesShareACall(DType type) {
    List<PlacedPicture> pictures = new ArrayList<>();
    // Clip of 3 frames, the last standing for the fourth; 2 pairs of 4 x 6 patches.
    pictures.add(noise(20, 13, 18, 12, 0, 1, 0));
    pictures.add(noise(25, 50, 18, 12, 1, 2, 0));
    pictures.add(noise(18, 12, 18, 12, 2, 4, 0));
    // Clip of one frame that is its own pair, 10 x 2 patches; one that spans a pair and a half.
    pictures.add(noise(70, 9, 30, 6, 0, 2, 48));
    pictures.add(noise(9, 9, 6, 6, 0, 3, 68));
    pictures.add(noise(8, 9, 6, 6, 3, 4, 68));

    float[] got = EveryOrder.run(device -> patches(device, type, pictures, 76));

    float[] expected = expected(pictures, 76);
    EveryOrder.assertSameBits(type == DType.BF16 ? Bf16.round(expected) : expected, got, "patches");
  }

  @Test
  void aPicturesPatchesDoNotDependOnTheOthers() {
    PlacedPicture first = noise(33, 21, 18, 12, 0, 2, 0);
    PlacedPicture second = noise(61, 50, 12, 18, 0, 2, 24);
    float[] both =
        EveryOrder.once(device -> patches(device, DType.BF16, List.of(first, second), 48));
    float[] alone = EveryOrder.once(device -> patches(device, DType.BF16, List.of(first), 24));
    EveryOrder.assertSameBits(Arrays.copyOf(both, alone.length), alone, "first");
  }

  @Test
  void noPicturesAreNoWork() {
    assertThat(EveryOrder.once(device -> patches(device, DType.BF16, List.of(), 0))).isEmpty();
  }

  @Test
  void refusesTargetsThatAreNotWholeGroupsAndPatchesBeyondTheEnd() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> once(noise(9, 9, 9, 6, 0, 2, 0), 100))
        .withMessageContaining("9x6 pixels; expected multiples of 6");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> once(noise(9, 9, 6, 6, 0, 3, 5), 12))
        .withMessageContaining("2 pairs of 4 patches from patch 5");
  }

  private static void once(PlacedPicture picture, int count) {
    EveryOrder.once(device -> patches(device, DType.F32, List.of(picture), count));
  }

  // --- the specification, written out ---

  private static float[] expected(List<PlacedPicture> pictures, int count) {
    float[] rows = new float[count * SHAPE.columns()];
    for (PlacedPicture picture : pictures) {
      int width = picture.toWidth();
      int height = picture.toHeight();
      int[] narrowed = new int[3 * picture.height() * width];
      ResizeTaps columns = ResizeTaps.of(picture.width(), width);
      for (int y = 0; y < picture.height(); y++) {
        for (int i = 0; i < 3 * width; i++) {
          long sum = 1 << 21;
          for (int k = 0; k < columns.count(i / 3); k++) {
            int from = (y * picture.width() + columns.first(i / 3) + k) * 3 + i % 3;
            sum += (long) columns.weight(i / 3, k) * (picture.rgb()[from] & 0xFF);
          }
          narrowed[y * 3 * width + i] = clip(sum);
        }
      }
      ResizeTaps lines = ResizeTaps.of(picture.height(), height);
      List<Integer> order = windowOrder(height / 6, width / 6);
      for (int y = 0; y < height; y++) {
        for (int i = 0; i < 3 * width; i++) {
          long sum = 1 << 21;
          for (int k = 0; k < lines.count(y); k++) {
            sum += (long) lines.weight(y, k) * narrowed[(lines.first(y) + k) * 3 * width + i];
          }
          float value = SHAPE.values()[i % 3][clip(sum)];
          int x = i / 3;
          int group = order.indexOf(y / 6 * (width / 6) + x / 6);
          int patch = group * 4 + y / 3 % 2 * 2 + x / 3 % 2;
          for (int n = picture.firstFrame(); n < picture.endFrame(); n++) {
            int row = (int) picture.firstPatch() + n / 2 * (width * height / 9) + patch;
            rows[row * 54 + i % 3 * 18 + n % 2 * 9 + y % 3 * 3 + x % 3] = value;
          }
        }
      }
    }
    return rows;
  }

  private static int clip(long sum) {
    return (int) Math.max(0, Math.min(255, sum >> 22));
  }

  /** Merge groups, windows of two by two one after the other. */
  private static List<Integer> windowOrder(int rows, int columns) {
    List<Integer> order = new ArrayList<>();
    for (int top = 0; top < rows; top += 2) {
      for (int left = 0; left < columns; left += 2) {
        for (int y = top; y < Math.min(top + 2, rows); y++) {
          for (int x = left; x < Math.min(left + 2, columns); x++) {
            order.add(y * columns + x);
          }
        }
      }
    }
    return order;
  }
}
