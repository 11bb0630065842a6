// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.Samples;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A process of its own, in which the library cannot be loaded. */
class WithoutLibraryTest {
  @Test
  void plainProductsStepInWithAWarning() throws Exception {
    String output = runHere("-Dorg.bytedeco.javacpp.platform=no-such-platform");

    assertThat(output)
        .contains("WARN")
        .contains("oneDNN cannot be loaded")
        .contains("cachedir")
        .contains("cpu: products plain java f32; attention plain java f32")
        .contains("[1.0, 5.0, 4.0, 11.0]");
  }

  @Test
  void theLibrarySaysNothingWhereItCanBeLoaded() throws Exception {
    assertThat(runHere().lines())
        .hasSize(2)
        .first(org.assertj.core.api.InstanceOfAssertFactories.STRING)
        .contains("oneDNN");
  }

  private static String runHere(String... options) throws Exception {
    List<String> command = new java.util.ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"));
    command.add(
        "-Dorg.bytedeco.javacpp.cachedir=" + System.getProperty("org.bytedeco.javacpp.cachedir"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(output).isTrue();
      assertThat(process.exitValue()).as(output).isZero();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  /** Multiplies and prints. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) {
      float[] x = {1, 2, 3, 4, 5, 6}; // [2, 3]
      float[] w = {1, 0, 0, 0, 1, 1}; // [2, 3]
      try (Backend backend = Backends.open("cpu", new BackendOptions(1, false));
          Arena arena = backend.arena()) {
        Matrix matrix = backend.matrix("w", List.of(Samples.tensor("w", w, 2, 3)));
        DeviceBuffer in = arena.allocate(2, 3);
        DeviceBuffer out = arena.allocate(2, 2);
        backend.upload(x, 0, 6, in);
        backend.linear(in, matrix, null, 2, out);
        float[] y = new float[4];
        backend.download(out, 0, y, 0, 4);
        System.out.println(backend.numerics());
        System.out.println(Arrays.toString(y));
      }
    }
  }
}
