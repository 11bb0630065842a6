// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.FakeEngines;
import io.everwatch.operators.flink.StateRules.OtherModel;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HeapBoundTest {
  /** A second of a camera is 4.7 kB. */
  private static final long BOUND = 20_000;

  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  private Bench bench(long bound, StateBackend backend, @Nullable OperatorSubtaskState state)
      throws Exception {
    UnderstandSettings settings =
        Bench.PATIENT.with(new StateRules(false, OtherModel.REBUILD, bound));
    return new Bench(fake.engine(), settings, 1, 0, state, backend);
  }

  private static void seconds(Bench bench, Camera camera, int count) throws Exception {
    for (int i = 0; i < 2 * count; i++) {
      bench.offer(camera.frame());
    }
    bench.settle();
  }

  @Test
  void stopsTheJobBeforeTheHeapIsFullAndSaysWhatToDo() throws Exception {
    try (Bench bench = bench(BOUND, new HashMapStateBackend(), null)) {
      seconds(bench, new Camera("a"), 3);
      bench.snapshot();
      seconds(bench, new Camera("b"), 3);
      assertThatThrownBy(bench::snapshot)
          .as("and Flink does not try again for ever")
          .isInstanceOf(SuppressRestartsException.class)
          .hasStackTraceContaining("of 2 streams lie in the heap of this subtask")
          .hasStackTraceContaining("at most 20000 (limits.hashmap-state)")
          .hasStackTraceContaining("state.backend: rocksdb");
    }
  }

  @Test
  void refusesStateThatIsTooLargeWhenItIsRestored() throws Exception {
    OperatorSubtaskState state;
    try (Bench bench = bench(1 << 20, new HashMapStateBackend(), null)) {
      for (String id : new String[] {"a", "b", "c"}) {
        seconds(bench, new Camera(id), 1);
      }
      bench.harness.setProcessingTime(4_000_000); // all are due
      for (String id : new String[] {"a", "b", "c"}) {
        Camera camera = new Camera(id);
        camera.frame();
        camera.frame();
        seconds(bench, camera, 1);
      }
      bench.awaitSnapshots(3);
      state = bench.snapshot();
    }
    assertThatThrownBy(() -> bench(5_000, new HashMapStateBackend(), state))
        .isInstanceOf(SuppressRestartsException.class)
        .hasStackTraceContaining("at most 5000 (limits.hashmap-state)");
  }

  @Test
  void isOfNoConcernToRocksDb() throws Exception {
    try (Bench bench = bench(BOUND, new EmbeddedRocksDBStateBackend(false), null)) {
      seconds(bench, new Camera("a"), 8);
      assertThat(bench.snapshot()).isNotNull();
    }
  }
}
