// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.offline;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.engine.RoundInput;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.StreamSettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class RoundDriverTest {
  @Test
  void anEngineThatNeverAnswersIsAnErrorAndNoEternalWait() {
    CountDownLatch never = new CountDownLatch(1);
    Rounds one =
        new Rounds() {
          @Override
          public String streamId() {
            return "one";
          }

          @Override
          public StreamSettings settings() {
            return FakeEngine.SETTINGS;
          }

          @Override
          public Optional<RoundInput> next() {
            return Optional.of(new RoundInput(0, List.of(), false));
          }

          @Override
          public void answered(RoundResult result) {}
        };
    try (FakeEngine engine =
        new FakeEngine(
            (session, input) -> {
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return FakeEngine.says("");
            })) {
      assertThatThrownBy(() -> RoundDriver.drive(engine, List.of(one), Duration.ofMillis(50)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("no answer")
          .hasMessageContaining("1 streams waiting");
    }
  }
}
