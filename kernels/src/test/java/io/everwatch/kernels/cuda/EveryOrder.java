// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Function;

/**
 * Runs the same launches in every order that the stand-in driver knows, and under its checker: a
 * missing barrier or wait then shows as another result or as a report.
 */
final class EveryOrder {
  private static final String[][] SETTINGS = {
    {"order=reverse"},
    {"order=random:1"},
    {"order=random:2"},
    {"order=random:3"},
    {"cpasync=early"},
    {"streams=lazy"}
  };

  private EveryOrder() {}

  /**
   * What {@code run} gives in forward order; asserts that it gives the same bits in all others, and
   * that the checker has nothing to report. On a real GPU it runs twice.
   */
  static float[] run(Function<CudaDevice, float[]> run) {
    Emulation.reset();
    float[] first = once(run);
    if (!Emulation.isPresent()) {
      assertSameBits(first, once(run), "run again");
      return first;
    }
    for (String[] settings : SETTINGS) {
      Emulation.reset();
      Emulation.set(settings);
      assertSameBits(first, once(run), String.join(" ", settings));
    }
    Emulation.reset();
    try (CudaDevice device = Emulation.openChecked()) {
      assertSameBits(first, run.apply(device), "under the checker");
    }
    return first;
  }

  /** On device 0 as it is set now. */
  static float[] once(Function<CudaDevice, float[]> run) {
    try (CudaDevice device = CudaDevice.open(0)) {
      return run.apply(device);
    }
  }

  static void assertSameBits(float[] expected, float[] actual, String what) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToRawIntBits(actual[i]) != Float.floatToRawIntBits(expected[i])) {
        assertThat(actual[i])
            .as("%s: element %d of %d", what, i, actual.length)
            .isEqualTo(expected[i]);
      }
    }
  }
}
