// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.everwatch.operators.model.BadModelException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EnginesTest {
  private static final EngineOptions TINY =
      EngineOptions.builder("src/test/golden/qwen2_5_vl/tiny_a")
          .threads(1)
          .kvBytes(4 << 20)
          .overrides(Map.of("text_window", "99", "max_new_tokens", "5"))
          .build();

  @Test
  void openWithTheSettingsOfTheJob() {
    try (Engine engine = Engines.open(TINY)) {
      assertThat(engine.settings().textWindow()).isEqualTo(99);
      assertThat(engine.settings().maxNewTokens()).isEqualTo(5);
      assertThat(engine.modelDigest()).matches("[0-9a-f]{64}");
      assertThat(engine.numericsIdentity()).matches("[0-9a-f]{64}");
      assertThat(engine.metrics().rowsLimit()).isPositive();
    }
    assertNoThreadIsLeft();
  }

  @Test
  void tellWhatAProductOfAnotherKindMeansForTheNumbers() {
    try (Engine engine = Engines.open(TINY);
        Engine plain = Engines.open(TINY.toBuilder().plainProducts(true).build())) {
      assertThat(plain.modelDigest()).isEqualTo(engine.modelDigest());
      assertThat(plain.numericsIdentity()).isNotEqualTo(engine.numericsIdentity());
    }
  }

  @Test
  void areSharedByEqualOptionsUntilTheLastHolderCloses() {
    Engine first = Engines.shared(TINY);
    Engine second = Engines.shared(TINY.toBuilder().build());
    assertThat(threads()).filteredOn(name -> name.equals("everwatch-step")).hasSize(1);
    first.close();
    first.close();
    try (Seat seat = second.attach(results -> {})) {
      assertThat(seat.create("camera", second.settings()).rounds()).isZero();
    }
    assertThatIllegalStateException().isThrownBy(() -> first.attach(results -> {}));
    second.close();
    assertNoThreadIsLeft();
    try (Engine again = Engines.shared(TINY)) {
      assertThat(again.settings()).isNotNull();
    }
    assertNoThreadIsLeft();
  }

  @Test
  void refuseWhatIsWrongAndLeaveNothingOpen() {
    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(() -> Engines.open(EngineOptions.of("no/such/folder")))
        .withMessageContaining("no/such/folder");
    assertThatExceptionOfType(BadModelException.class)
        .isThrownBy(
            () -> Engines.open(TINY.toBuilder().overrides(Map.of("text_windw", "9")).build()))
        .withMessageContaining("text_windw");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engines.open(TINY.toBuilder().device("abacus").build()))
        .withMessageContaining("abacus");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engines.open(TINY.toBuilder().kvBytes(10).build()))
        .withMessageContaining("engine.kv-memory is 10");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Engines.open(TINY.toBuilder().kvBytes(1L << 50).build()))
        .withMessageContaining("cached rows would take 1,125,899,906,842,624 bytes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EngineOptions.builder("m").workers(0).build())
        .withMessage("workers must be at least 1, but is 0");
    assertNoThreadIsLeft();
  }

  private static void assertNoThreadIsLeft() {
    assertThat(threads()).noneMatch(name -> name.startsWith("everwatch-"));
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .map(Thread::getName)
        .toList();
  }
}
