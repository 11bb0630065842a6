// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.FakeEngines;
import java.util.Map;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SpreadContradictionTest {
  private final FakeEngines fake = FakeEngines.start();

  @AfterEach
  void closeEngine() {
    fake.close();
  }

  @ParameterizedTest(name = "RocksDB: {0}")
  @ValueSource(booleans = {false, true})
  void aStreamWithStateKeepsItsSpreadOrNothingStarts(boolean rocksDb) throws Exception {
    StateBackend backend =
        rocksDb ? new EmbeddedRocksDBStateBackend(false) : new HashMapStateBackend();
    OperatorSubtaskState state;
    try (Bench bench = bench(backend, null, SpreadRegistry.NONE)) {
      bench.offer(new Camera("a").frame());
      state = bench.snapshot();
    }
    SpreadRegistry registry = new SpreadRegistry(Map.of("a", 3));

    assertThatThrownBy(() -> bench(backend, state, registry))
        .as("and Flink does not try again for ever")
        .isInstanceOf(SuppressRestartsException.class)
        .hasStackTraceContaining(
            "stream a has state under spread 97 and place 3, which gives %d; remove its line"
                .formatted(SpreadRegistry.spread(3)));
    try (Bench bench = bench(backend, state, new SpreadRegistry(Map.of("b", 3)))) {
      assertThat(bench.understanding().inFlight()).as("others may be registered").isZero();
    }
  }

  private Bench bench(
      StateBackend backend, @Nullable OperatorSubtaskState state, SpreadRegistry spreads)
      throws Exception {
    return new Bench(fake.engine(), UnderstandSettings.DEFAULT, 1, 0, state, backend, spreads);
  }
}
