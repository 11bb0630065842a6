// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.operators.model.TuningProfile.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TuningProfileTest {
  private static final Target TARGET = new Target("cuda: NVIDIA H200", DType.BF16, 28, 4, 128);
  private static final FlexPrefill SELECTOR = FlexPrefill.DEFAULT;
  private static final List<Integer> QUERIES = List.of(512, 2048);
  private static final List<Integer> KEYS = List.of(512, 2048, 8192);

  @TempDir Path temp;

  private static double[][] dense() {
    return new double[][] {{10, 40, 160}, {Double.NaN, 80, 640}};
  }

  private static TuningProfile profile(double[][] sparse) {
    return new TuningProfile(TARGET, 2048, SELECTOR, QUERIES, KEYS, dense(), sparse, dense());
  }

  /** Faster from 2,048 new rows on, and at 512 of 8,192. */
  private static TuningProfile usual() {
    return profile(new double[][] {{12, 41, 80}, {Double.NaN, 60, 200}});
  }

  @Test
  void isSparseFromTheLengthsOnAtWhichThatWasFaster() {
    TuningProfile profile = usual();
    assertThat(profile.sparse(SELECTOR, 512, 8192)).isTrue();
    assertThat(profile.sparse(SELECTOR, 2048, 2048)).isTrue();
    assertThat(profile.sparse(SELECTOR, 100_000, 1_000_000)).isTrue();
    assertThat(profile.sparse(SELECTOR, 512, 512)).isFalse();
    assertThat(profile.sparse(SELECTOR, 512, 2048)).isFalse();
  }

  @Test
  void judgesALengthBetweenTwoPointsByTheMoreCareful() {
    TuningProfile profile = usual();
    assertThat(profile.sparse(SELECTOR, 2047, 8191)).isFalse();
    assertThat(profile.sparse(SELECTOR, 2048, 8191)).isTrue();
    assertThat(profile.sparse(SELECTOR, 511, 8192)).as("below the grid").isFalse();
  }

  @Test
  void isDenseWhereALongerPromptIsSlower() {
    TuningProfile dip = profile(new double[][] {{9, 30, 80}, {Double.NaN, 60, 630}});
    assertThat(dip.sparse(SELECTOR, 512, 512)).isFalse();
    assertThat(dip.sparse(SELECTOR, 2048, 8192)).as("within the margin").isFalse();
  }

  @Test
  void knowsNothingOfSettingsThatWereNotMeasured() {
    FlexPrefill other = new FlexPrefill(128, 0.95, 0.1, 1024, 0, false);
    assertThat(usual().sparse(other, 4096, 8192)).isFalse();
  }

  @Test
  void isMonotoneAndNeverSlowerThanDenseOnItsGrid() {
    for (int seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      List<Integer> keys = Stream.iterate(64, n -> n * 2).limit(3 + random.nextInt(5)).toList();
      List<Integer> queries = keys.subList(0, 1 + random.nextInt(keys.size()));
      double[][] dense = new double[queries.size()][keys.size()];
      double[][] sparse = new double[queries.size()][keys.size()];
      for (int i = 0; i < queries.size(); i++) {
        for (int j = 0; j < keys.size(); j++) {
          boolean possible = keys.get(j) >= queries.get(i);
          dense[i][j] = possible ? 1 + random.nextDouble() : Double.NaN;
          sparse[i][j] =
              possible ? dense[i][j] * (1.6 - random.nextDouble() * (i + j) / 4) : Double.NaN;
          sparse[i][j] = possible ? Math.max(0.01, sparse[i][j]) : Double.NaN;
        }
      }
      TuningProfile profile =
          new TuningProfile(TARGET, 128, SELECTOR, queries, keys, dense, sparse, dense);
      for (int n = 0; n < 200; n++) {
        int q = 1 + random.nextInt(5000);
        int k = q + random.nextInt(5000);
        if (profile.sparse(SELECTOR, q, k)) {
          int longer = q + random.nextInt(1000);
          assertThat(profile.sparse(SELECTOR, longer, Math.max(longer, k + random.nextInt(1000))))
              .as("seed %d: %d of %d is sparse", seed, q, k)
              .isTrue();
        }
      }
      for (int i = 0; i < queries.size(); i++) {
        for (int j = i; j < keys.size(); j++) {
          if (profile.sparse(SELECTOR, queries.get(i), keys.get(j))) {
            assertThat(sparse[i][j]).as("seed %d", seed).isLessThan(dense[i][j]);
          }
        }
      }
    }
  }

  @Test
  void comesBackFromItsFileWithTheSameDigest() throws IOException {
    Path file = temp.resolve("h200.json");
    Files.writeString(file, "an older one");
    usual().write(file);

    TuningProfile read = TuningProfile.read(file);

    assertThat(read).isEqualTo(usual());
    assertThat(read.digest()).isEqualTo(usual().digest()).hasSize(64);
    assertThat(read.target()).isEqualTo(TARGET);
    assertThat(Arrays.deepEquals(read.denseMicros(), dense())).isTrue();
    assertThat(read.sparse(SELECTOR, 2048, 2048)).isTrue();
    try (Stream<Path> files = Files.list(temp)) {
      assertThat(files).containsExactly(file);
    }
    double[][] other = {{12, 41, 80}, {Double.NaN, 60, 201}};
    assertThat(profile(other).digest()).isNotEqualTo(usual().digest());
  }

  @Test
  void refusesAnotherDeviceBuildTypeOrShape() {
    usual().require(TARGET, "f");
    for (Target other :
        List.of(
            new Target("cuda: NVIDIA H100", DType.BF16, 28, 4, 128),
            new Target("cuda: NVIDIA H200", DType.F32, 28, 4, 128),
            new Target("cuda: NVIDIA H200", DType.BF16, 16, 2, 128))) {
      assertThatExceptionOfType(BadModelException.class)
          .isThrownBy(() -> usual().require(other, "h200.json"))
          .withMessageContaining("h200.json was measured on " + TARGET)
          .withMessageContaining("this is " + other)
          .withMessageContaining("everwatch tune");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"version\" : 1|\"version\" : 2|has version 2; expected 1",
        "\"piece\" : 2048|\"piece\" : 100|piece is 100, expected a multiple of 128",
        "\"piece\" : 2048|\"peace\" : 2048|peace is unknown",
        "\"piece\" : 2048|\"piece\" : 2048, \"piece\" : 2048|Duplicate field 'piece'",
        "\"dtype\" : \"BF16\"|\"dtype\" : \"FP8\"|dtype is \"FP8\", expected F32 or BF16",
        "\"gamma\" : 0.9|\"gamma\" : 1.5|gamma is 1.5",
        "\"block\" : 128|\"blocks\" : 128|selector.blocks is unknown",
        "\"heads\" : 28|\"heads\" : \"many\"|heads is \"many\"",
        "\"queries\" : [ 512, 2048 ]|\"queries\" : [ 2048, 512 ]|queries are [2048, 512]",
        "\"queries\" : [ 512, 2048 ]|\"queries\" : [ 512, 2049 ]|expected all of queries",
        "\"density\"|\"dense\"|density is missing",
        "160.0|-160.0|dense_micros has not a number above 0",
        "160.0|null|dense_micros has not a number above 0",
        "160.0|\"x\"|dense_micros is",
      })
  void refusesAFileWithAnythingWrong(String there, String instead, String message)
      throws IOException {
    Path file = temp.resolve("bad.json");
    usual().write(file);
    String text = Files.readString(file);
    assertThat(text).contains(there);
    Files.writeString(file, text.replaceFirst(java.util.regex.Pattern.quote(there), instead));

    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(() -> TuningProfile.read(file))
        .withMessageContaining(message)
        .withMessageContaining("bad.json");
  }

  @Test
  void refusesAFileThatIsNotOne() throws IOException {
    Path huge = temp.resolve("huge.json");
    Files.write(huge, new byte[(1 << 20) + 1]);
    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(() -> TuningProfile.read(huge))
        .withMessageContaining("has 1048577 bytes; a file of this kind has at most 1048576");
    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(() -> TuningProfile.read(temp.resolve("none.json")))
        .withMessageContaining("does not exist; everwatch tune writes one");
    Path cut = temp.resolve("cut.json");
    Files.writeString(cut, "{\"version\" : 1,");
    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(() -> TuningProfile.read(cut))
        .withMessageContaining("is not valid JSON");
  }
}
