// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.Patches;
import io.everwatch.operators.model.VisionClip;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rows of a clip that come in pieces, cut inside its frame pairs. */
class VisionStepTest {
  private static final int WIDTH = 128; // of tiny_a's decoder

  private final Backend cpu = Backends.open("cpu", new BackendOptions(1, false));
  private int patches; // that the tower was given
  private final Backend backend = counting();
  private final Model model =
      Model.load(ModelFolder.open("src/test/golden/qwen2_5_vl/tiny_a"), backend);
  private final Arena arena = backend.arena();

  private Backend counting() {
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("patchBatch")) {
                patches += ((float[]) arguments[0]).length / ((int) arguments[1] / 2);
              }
              try {
                return method.invoke(cpu, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @AfterEach
  void close() {
    arena.close();
    cpu.close();
  }

  private VisionStep step(int batchRows) {
    return new VisionStep(
        backend, model.tower(), model.decoder(), new NetworkLimits(0, 4, batchRows, null));
  }

  /** Pairs of 35 rows. */
  private static Patches clip(int pairs, long seed) {
    Random random = new Random(seed);
    float[] rows = new float[pairs * 140 * 1176];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    return new Patches(rows, pairs, 10, 14);
  }

  private float[] place(VisionStep step, VisionRows... wanted) {
    step.begin();
    step.encode(List.of(wanted));
    int[] pads = new int[Arrays.stream(wanted).mapToInt(VisionRows::count).sum()];
    Arrays.setAll(pads, i -> i);
    arena.reset();
    DeviceBuffer x = arena.allocateF32(pads.length, WIDTH);
    step.place(pads, x);
    float[] values = new float[pads.length * WIDTH];
    backend.download(x, 0, values, 0, values.length);
    return values;
  }

  private float[] whole(VisionClip clip) {
    try (VisionStep step = step(512)) {
      return place(step, new VisionRows(clip, 0, clip.count() / 4));
    }
  }

  private static float[] joined(List<float[]> parts) {
    float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  @Test
  void areTheRowsOfTheWholeClipAndEachPairIsSeenOnce() {
    Patches clip = clip(3, 1);
    float[] expected = whole(clip);
    patches = 0;
    int[] cuts = {0, 20, 21, 34, 70, 80, 105}; // inside a pair, several in one, at its end
    List<float[]> parts = new ArrayList<>();
    try (VisionStep step = step(512)) {
      for (int i = 1; i < cuts.length; i++) {
        parts.add(place(step, new VisionRows(clip, cuts[i - 1], cuts[i])));
        place(step, new VisionRows(clip, cuts[i], cuts[i])); // a piece of text only
      }
    }
    assertThat(joined(parts)).isEqualTo(expected);
    assertThat(patches).isEqualTo(clip.count());
  }

  @Test
  void areComputedAgainWhenAnotherClipWasCutInBetween() {
    Patches one = clip(2, 1);
    Patches other = clip(2, 2);
    patches = 0;
    List<float[]> ofOne = new ArrayList<>();
    List<float[]> ofOther = new ArrayList<>();
    try (VisionStep step = step(512)) {
      for (int from = 0; from < 70; from += 14) {
        ofOne.add(place(step, new VisionRows(one, from, from + 14)));
        ofOther.add(place(step, new VisionRows(other, from, from + 14)));
      }
    }
    assertThat(patches).isGreaterThan(2 * one.count());
    assertThat(joined(ofOne)).isEqualTo(whole(one));
    assertThat(joined(ofOther)).isEqualTo(whole(other));
  }

  @Test
  void areComputedAgainWhenTheyAreTooManyToKeep() {
    Patches clip = clip(2, 1);
    List<float[]> parts = new ArrayList<>();
    try (VisionStep step = step(4)) {
      parts.add(place(step, new VisionRows(clip, 0, 10)));
      parts.add(place(step, new VisionRows(clip, 10, 70)));
    }
    assertThat(joined(parts)).isEqualTo(whole(clip));
  }

  @Test
  void lieBetweenThoseOfOtherPrompts() {
    Patches cut = clip(2, 1);
    Patches first = clip(1, 2);
    Patches last = clip(1, 3);
    List<float[]> parts = new ArrayList<>();
    try (VisionStep step = step(512)) {
      parts.add(
          place(
              step,
              new VisionRows(first, 0, 35),
              new VisionRows(cut, 0, 50),
              new VisionRows(last, 0, 35)));
      parts.add(place(step, new VisionRows(first, 0, 35), new VisionRows(cut, 50, 70)));
    }
    float[] whole = whole(cut);
    assertThat(joined(parts))
        .isEqualTo(
            joined(
                List.of(
                    whole(first),
                    Arrays.copyOf(whole, 50 * WIDTH),
                    whole(last),
                    whole(first),
                    Arrays.copyOfRange(whole, 50 * WIDTH, 70 * WIDTH))));
  }
}
