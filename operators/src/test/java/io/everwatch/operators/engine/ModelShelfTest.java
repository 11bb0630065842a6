// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights of a GPU between two jobs, with {@link CountedBackends} in its place. */
class ModelShelfTest {
  private static final Path GOLDEN = Path.of("src/test/golden/qwen2_5_vl");
  private static final EngineOptions OPTIONS =
      EngineOptions.builder(GOLDEN.resolve("tiny_a").toString())
          .device(CountedBackends.device(0))
          .threads(1)
          .plainProducts(true)
          .kvBytes(4 << 20)
          .build();

  private int opened;
  private int closed;

  @BeforeEach
  void count() {
    opened = CountedBackends.OPENED.get();
    closed = CountedBackends.CLOSED.get();
  }

  @AfterEach
  void clear() {
    clear(0);
    clear(1);
    assertThat(CountedBackends.OPENED.get()).isEqualTo(CountedBackends.CLOSED.get());
    assertNoThreadIsLeft();
  }

  /** An engine alone leaves nothing on its device. */
  private static void clear(int index) {
    Engines.open(OPTIONS.toBuilder().device(CountedBackends.device(index)).build()).close();
  }

  @Test
  void theNextJobFindsTheWeightsWhereTheLastLeftThem() {
    Engine first = Engines.shared(OPTIONS);
    int rows = first.metrics().rowsLimit();
    String identity = first.numericsIdentity();
    first.close();
    assertNoThreadIsLeft();
    assertSoFar(1, 0);

    try (Engine second = Engines.shared(OPTIONS)) {
      assertThat(second.numericsIdentity()).isEqualTo(identity);
      assertThat(second.metrics().rowsUsed()).isZero();
    }
    EngineOptions moreRows = OPTIONS.toBuilder().kvBytes(8 << 20).batchRounds(2).build();
    try (Engine third = Engines.shared(moreRows)) {
      assertThat(third.metrics().rowsLimit()).isEqualTo(2 * rows + 1);
    }
    assertSoFar(1, 0);
  }

  @Test
  void anotherModelTakesTheirPlace() {
    Engines.shared(OPTIONS).close();
    EngineOptions other =
        EngineOptions.builder(GOLDEN.resolve("tiny_b").toString())
            .device(CountedBackends.device(0))
            .threads(1)
            .plainProducts(true)
            .kvBytes(4 << 20)
            .build();
    try (Engine engine = Engines.shared(other)) {
      assertThat(engine.modelDigest()).isNotEmpty();
      assertSoFar(2, 1);
    }
  }

  @Test
  void filesThatWereWrittenAnewAreReadAnew(@TempDir Path dir) throws Exception {
    try (var files = Files.list(GOLDEN.resolve("tiny_a"))) {
      for (Path file : files.toList()) {
        Files.copy(file, dir.resolve(file.getFileName()));
      }
    }
    EngineOptions copy =
        EngineOptions.builder(dir.toString())
            .device(CountedBackends.device(0))
            .threads(1)
            .plainProducts(true)
            .kvBytes(4 << 20)
            .build();
    Engines.shared(copy).close();
    Files.setLastModifiedTime(dir.resolve("model.safetensors"), FileTime.fromMillis(1));
    Engines.shared(copy).close();
    assertSoFar(2, 1);
  }

  @Test
  void eachDeviceHasItsOwn() {
    EngineOptions second = OPTIONS.toBuilder().device(CountedBackends.device(1)).build();
    try (Engine one = Engines.shared(OPTIONS);
        Engine two = Engines.shared(second);
        Engine twoAgain = Engines.shared(second)) {
      assertThat(one.modelDigest()).isEqualTo(two.modelDigest()).isEqualTo(twoAgain.modelDigest());
      assertSoFar(2, 0);
    }
    Engines.shared(OPTIONS).close();
    Engines.shared(second).close();
    assertSoFar(2, 0);
  }

  @Test
  void whatFailedIsNotUsedAgain() throws Exception {
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    Engine engine = Engines.shared(OPTIONS);
    Seat seat =
        engine.attach(
            new EngineListener() {
              @Override
              public void finished(java.util.List<RoundResult> results) {}

              @Override
              public void ended(Throwable cause) {
                end.complete(cause);
              }
            });
    CountedBackends.FAULT.set(new OutOfMemoryError("Java heap space, says the test"));
    seat.submit(seat.create("north", engine.settings()), TestEngine.chunk("north", 0));
    assertThat(end.get(60, TimeUnit.SECONDS)).hasMessageContaining("says the test");
    engine.close();
    assertSoFar(1, 1);
  }

  @Test
  void theCpuKeepsNothing() {
    EngineOptions cpu = OPTIONS.toBuilder().device("cpu").build();
    Engines.shared(cpu).close();
    assertNoThreadIsLeft();
    assertSoFar(0, 0);
  }

  private void assertSoFar(int expectedOpened, int expectedClosed) {
    assertThat(CountedBackends.OPENED.get() - opened).as("opened").isEqualTo(expectedOpened);
    assertThat(CountedBackends.CLOSED.get() - closed).as("closed").isEqualTo(expectedClosed);
  }

  private static void assertNoThreadIsLeft() {
    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(Thread::isAlive)
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("everwatch-"));
  }
}
