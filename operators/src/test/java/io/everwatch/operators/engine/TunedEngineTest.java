// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.cuda.RequiresDevice;
import io.everwatch.operators.engine.PrefillTuner.Effort;
import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.TuningProfile;
import io.everwatch.operators.model.TuningProfile.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Engines with a tuning profile, and the profile that a device gets. */
@Timeout(300)
class TunedEngineTest {
  private static final String TINY_A = "src/test/golden/qwen2_5_vl/tiny_a";
  private static final KvShape SHAPE = new KvShape(3, 4, 2, 32, new int[] {4, 6, 6}, 1e6);
  private static final int CHUNKS = 4;

  @TempDir Path temp;

  private static EngineOptions.Builder options() {
    Map<String, String> settings = new HashMap<>(Company.SETTINGS);
    settings.put("sparse_block", "32");
    settings.put("sparse_min_budget", "32");
    settings.put("sparse_min_chunk", "64");
    return EngineOptions.builder(TINY_A)
        .threads(1)
        .workers(1)
        .kvBytes(32 << 20)
        .overrides(settings);
  }

  /** A profile after which all of 64 rows and more is sparse. */
  private String profile(String name, int piece, Target target) throws IOException {
    Path file = temp.resolve(name);
    double[][] one = {{1}};
    new TuningProfile(
            target,
            piece,
            new io.everwatch.kernels.FlexPrefill(32, 0.9, 0.1, 32, 0, true),
            List.of(64),
            List.of(64),
            one,
            new double[][] {{0.5}},
            one)
        .write(file);
    return file.toString();
  }

  private static Target cpu() {
    try (Backend backend = Backends.open("cpu", new BackendOptions(1, false))) {
      return Target.of(backend.numerics(), DType.F32, SHAPE);
    }
  }

  /** Chunks with long prompts, the engine closed and opened again after each. */
  private static Company.Run run(List<EngineOptions> engines) throws Exception {
    List<String> texts = new ArrayList<>();
    List<byte[]> pieces = List.of();
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
      LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
      try (Engine engine = Engines.open(engines.get(chunk % engines.size()));
          Seat seat = engine.attach(results::addAll)) {
        StreamSession session =
            chunk == 0
                ? seat.create("camera", engine.settings())
                : seat.restore(SessionSnapshot.ofPieces(pieces));
        seat.submit(session, LongPromptTest.chunk(0, chunk, 30));
        RoundResult result = results.poll(120, TimeUnit.SECONDS);
        assertThat(result).isNotNull();
        texts.add(TestEngine.text(result));
        pieces = seat.snapshot(session).get(60, TimeUnit.SECONDS).pieces();
        if (chunk == 1) {
          assertThat(engine.metrics().sparsePrompts()).isPositive();
          assertThat(engine.metrics().sparse().spans()).isPositive();
          assertThat(engine.metrics().sparse().density()).isBetween(0.05, 0.999);
          assertThat(engine.metrics().sparse().meanKeptMass()).isBetween(0.1, 1.0);
        }
      }
    }
    return new Company.Run(texts, pieces);
  }

  @Test
  void saysTheSameAfterARestartWithTheSameProfile() throws Exception {
    EngineOptions tuned = options().tuningProfile(profile("a.json", 128, cpu())).build();
    EngineOptions copied = options().tuningProfile(profile("copy.json", 128, cpu())).build();
    run(List.of(tuned)).requireSame(run(List.of(copied, tuned)), "restarted with a copy");
  }

  @Test
  void anotherProfileIsAnotherNumericsIdentityThatNamesIt() throws Exception {
    try (Engine plain = Engines.open(options().build());
        Engine tuned = Engines.open(options().tuningProfile(profile("a", 128, cpu())).build());
        Engine other = Engines.open(options().tuningProfile(profile("b", 256, cpu())).build())) {
      assertThat(tuned.numericsIdentity())
          .isNotEqualTo(other.numericsIdentity())
          .isNotEqualTo(plain.numericsIdentity());
      assertThat(tuned.numerics().differences(other.numerics()))
          .startsWith("tuning profile: ")
          .doesNotContain("back end");
      assertThat(tuned.numerics().differences(plain.numerics())).contains("and there none");
      assertThat(plain.numerics().differences(tuned.numerics()))
          .startsWith("tuning profile: none, and there ");
    }
  }

  @Test
  void refusesAProfileOfAnotherDeviceAndLeavesNothingOpen() throws Exception {
    Target other = new Target("cuda: NVIDIA H200", DType.BF16, 4, 2, 32);
    EngineOptions options = options().tuningProfile(profile("h200.json", 128, other)).build();
    int before = CountedBackends.CLOSED.get();
    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(
            () -> Engines.open(options.toBuilder().device(CountedBackends.device(0)).build()))
        .withMessageContaining("was measured on cuda: NVIDIA H200")
        .withMessageContaining("this is cpu: ");
    assertThat(CountedBackends.CLOSED.get()).isEqualTo(before + 1);
  }

  @Test
  void isMeasuredOnTheCpuAndTakenByItsEngine() throws Exception {
    measured(options().build());
  }

  @Test
  @RequiresDevice
  void isMeasuredOnAGpuAndTakenByItsEngine() throws Exception {
    measured(options().device("cuda").build());
  }

  private void measured(EngineOptions options) throws Exception {
    List<String> heard = new ArrayList<>();
    PrefillTuner.Progress progress =
        new PrefillTuner.Progress() {
          @Override
          public void piece(int rows, double rowsPerSecond) {
            assertThat(rowsPerSecond).isPositive();
            heard.add("piece " + rows);
          }

          @Override
          public void attention(
              int queries, int keys, double denseMicros, double sparseMicros, double density) {
            heard.add("%d of %d".formatted(queries, keys));
          }
        };
    TuningProfile profile = PrefillTuner.measure(options, new Effort(256, 1), progress);
    assertThat(heard)
        .containsExactly(
            "piece 128",
            "piece 256",
            "64 of 64",
            "64 of 128",
            "128 of 128",
            "64 of 256",
            "128 of 256",
            "256 of 256");
    assertThat(profile.selector().block()).isEqualTo(32);
    assertThat(profile.piece()).isIn(128, 256);
    assertThat(profile.density()[2][2]).as("of 256 rows").isBetween(0.2, 1.0);
    assertThat(profile.density()[0][0]).as("too few keys to choose from").isEqualTo(1);
    Path file = temp.resolve("measured.json");
    profile.write(file);
    assertThat(Files.size(file)).isLessThan(10_000);
    try (Engine engine = Engines.open(options.toBuilder().tuningProfile("" + file).build())) {
      assertThat(engine.numerics().parts()).containsEntry("tuning profile", profile.digest());
    }
  }
}
