// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.benchmarks.gpu.Item.Status;
import io.everwatch.benchmarks.gpu.Ledger.Next;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  @TempDir private Path dir;
  private final List<String> done = new ArrayList<>();
  private boolean late;

  private Ledger process() {
    return new Ledger("part", dir, () -> late);
  }

  private void item(Ledger ledger, String name) {
    ledger.item(
        name,
        () -> {
          done.add(name);
          if (name.startsWith("wrong")) {
            throw new IllegalStateException("as the test wants it");
          }
          if (name.startsWith("absent")) {
            throw new SkippedException("not on this machine");
          }
          return Map.of("millis", 1.5);
        });
  }

  private List<Status> statuses() {
    return Results.collect(Map.of(), dir).items().stream().map(Item::status).toList();
  }

  private Ledger readAsKernels() {
    return new Ledger("kernels", dir, () -> late);
  }

  @Test
  void whatWasDoneIsNotDoneAgain() {
    item(process(), "a");
    Ledger next = process();
    item(next, "a");
    item(next, "b");

    assertThat(done).containsExactly("a", "b");
    assertThat(next.next()).isEqualTo(Next.NOTHING);
    assertThat(next.failed()).isFalse();
  }

  @Test
  void aFailureEndsItsProcessAndTheNextOneGoesOnBehindIt() {
    Ledger first = process();
    item(first, "wrong");
    item(first, "b");
    assertThat(first.next()).isEqualTo(Next.ANOTHER_PROCESS);

    Ledger second = process();
    item(second, "wrong");
    item(second, "b");

    assertThat(done).containsExactly("wrong", "b");
    assertThat(second.next()).isEqualTo(Next.NOTHING);
    assertThat(second.failed()).isTrue();
  }

  @Test
  void nothingIsBegunWhenTheTimeIsOver() {
    Ledger ledger = process();
    item(ledger, "a");
    late = true;
    item(ledger, "b");

    assertThat(done).containsExactly("a");
    assertThat(ledger.next()).isEqualTo(Next.ANOTHER_CALL);
  }

  @Test
  void whatCannotBeDoneHereIsNoFailure() {
    Ledger ledger = readAsKernels();
    item(ledger, "absent");

    assertThat(ledger.next()).isEqualTo(Next.NOTHING);
    assertThat(ledger.failed()).isFalse();
    assertThat(statuses()).containsExactly(Status.SKIPPED);
  }

  /** A device that is lost takes its process with it; so it goes on with what comes behind. */
  @Test
  void anItemThatEndsItsProcessTwiceHasFailed() {
    Ledger.append(dir, Item.started("kernels", "deadly"));
    Ledger.append(dir, Item.started("kernels", "deadly"));
    assertThat(statuses()).containsExactly(Status.STARTED);

    Ledger third = readAsKernels();
    item(third, "deadly");
    item(third, "b");

    assertThat(done).containsExactly("b");
    assertThat(third.failed()).isTrue();
    assertThat(statuses()).containsExactly(Status.FAILED, Status.PASSED);
  }

  @Test
  void aBrokenFileIsNamed() throws Exception {
    Files.writeString(dir.resolve("part.jsonl"), "{\"part\":");

    assertThatThrownBy(this::process)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("part.jsonl cannot be read");
  }
}
