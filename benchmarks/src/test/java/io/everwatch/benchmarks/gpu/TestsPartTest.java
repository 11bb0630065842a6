// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.benchmarks.gpu.Item.Status;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

class TestsPartTest {
  private static final String INNER = "everwatch.test.inner";
  private static final String HERE = TestsPartTest.class.getPackageName();

  @TempDir private Path dir;

  /** Not among the classes of the build: their names end otherwise. */
  static final class Sound {
    @Test
    void passes() {
      assertThat(1).isOne();
    }

    @Test
    @EnabledIfSystemProperty(named = INNER, matches = "never")
    void isSkipped() {}
  }

  static final class Broken {
    @Test
    void fails() {
      assertThat(1).isZero();
    }
  }

  static final class Elsewhere {
    @Test
    @EnabledIfSystemProperty(named = INNER, matches = "never")
    void isSkipped() {}
  }

  private Item outcome(Class<?> tests) {
    Ledger ledger = new Ledger("kernels", dir, () -> false);
    ledger.item(tests.getSimpleName(), () -> TestsPart.run(tests.getName()));
    return Results.collect(Map.of(), dir).items().get(0);
  }

  @Test
  void countsTheTestsThatPassed() {
    Item sound = outcome(Sound.class);

    assertThat(sound.status()).isEqualTo(Status.PASSED);
    assertThat(sound.figures()).containsEntry("tests", 1).containsEntry("skipped", 1);
  }

  @Test
  void aTestThatFailsIsNamed() {
    Item broken = outcome(Broken.class);

    assertThat(broken.status()).isEqualTo(Status.FAILED);
    assertThat(broken.detail()).contains("1 of 1 tests failed", "fails()");
  }

  /** A green run that proved nothing is the worst result. */
  @Test
  void aClassOfWhichNothingRanHasNotPassed() {
    assertThat(outcome(Elsewhere.class).status()).isEqualTo(Status.SKIPPED);
  }

  @Test
  void findsTheClassesOfAPackageInFoldersAndJars() {
    assertThat(TestsPart.classes(HERE))
        .contains(TestsPartTest.class.getName(), HERE + ".LedgerTest");
    assertThat(TestsPart.classes("org.junit.jupiter.api")).contains("org.junit.jupiter.api.Test");
    new TestsPart(List.of("no.such.packages"), ".*", "")
        .run(new Ledger("kernels", dir, () -> false));
    assertThat(Results.collect(Map.of(), dir).items())
        .singleElement()
        .satisfies(item -> assertThat(item.detail()).contains("no test class of"));
  }
}
