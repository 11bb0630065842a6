// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.RoundResult.Failed;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RandomModelTest {
  @Test
  void runsAsAnyOtherAndSaysTheSameEachTime() throws Exception {
    List<String> first = said();
    assertThat(first).hasSize(3).isEqualTo(said());
  }

  private static List<String> said() throws Exception {
    LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
    List<String> said = new ArrayList<>();
    EngineOptions options =
        EngineOptions.builder("random:qwen2.5-vl-tiny").threads(1).kvBytes(16 << 20).build();
    try (Engine engine = Engines.open(options);
        Seat seat = engine.attach(results::addAll)) {
      StreamSession session = seat.create("north", engine.settings());
      for (int chunk = 0; chunk < 3; chunk++) {
        seat.submit(session, TestEngine.chunk("north", chunk));
        RoundResult result = results.poll(60, TimeUnit.SECONDS);
        assertThat(result).isNotNull();
        assertThat(result.outcome()).isNotInstanceOf(Failed.class);
        said.add(TestEngine.text(result));
      }
    }
    return said;
  }
}
