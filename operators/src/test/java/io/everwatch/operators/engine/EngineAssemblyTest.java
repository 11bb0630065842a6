// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.model.StreamSettings;
import org.junit.jupiter.api.Test;

class EngineAssemblyTest {
  @Test
  void tellsOfAnInstructionThatTheSinkDoesNotHold() {
    StreamSettings settings = TestEngine.settings();

    assertThat(EngineAssembly.instructionTooLong(settings.textSink() + 1, settings))
        .hasValueSatisfying(
            text ->
                assertThat(text)
                    .contains("has 6 tokens", "only the first 5", "raise textSink to 6"));
    assertThat(EngineAssembly.instructionTooLong(settings.textSink(), settings)).isEmpty();
  }
}
