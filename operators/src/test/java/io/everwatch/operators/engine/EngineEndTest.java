// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An engine that ends by itself: lost device, hung step, full heap. */
@Timeout(120)
class EngineEndTest {
  private static final Duration BOUND = Duration.ofMillis(200);

  private final FakeNetwork network =
      new FakeNetwork(FakePrompts.VOCABULARY, FakePrompts.END, FakePrompts.PAUSE, 1000);
  private final LinkedBlockingQueue<Integer> halts = new LinkedBlockingQueue<>();
  private final CompletableFuture<Throwable> ended = new CompletableFuture<>();
  private final CountDownLatch inStep = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final BatchingEngine engine =
      new BatchingEngine(
              TestEngine.parts(network),
              TestEngine.options().toBuilder()
                  .stepTimeout(BOUND)
                  .closeTimeout(Duration.ofMillis(50))
                  .build(),
              halts::add)
          .start();
  private final Seat seat = engine.attach(new Listener());

  private final class Listener implements EngineListener {
    @Override
    public void finished(List<RoundResult> results) {
      ended.completeExceptionally(new AssertionError("a result of an engine that ended"));
    }

    @Override
    public void ended(Throwable cause) {
      ended.complete(cause);
    }
  }

  @AfterEach
  void letGo() {
    goOn.countDown();
    seat.close();
    engine.close();
  }

  private StreamSession submit() {
    StreamSession session = seat.create("camera", TestEngine.settings());
    seat.submit(session, TestEngine.chunk("camera", 0));
    return session;
  }

  /** Lets the next step hang until the test ends. */
  private void hang() {
    network.beforePrefill =
        prompts -> {
          inStep.countDown();
          await(goOn);
        };
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(TestEngine.SECONDS, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Integer halted() throws InterruptedException {
    Integer status = halts.poll(TestEngine.SECONDS, TimeUnit.SECONDS);
    assertThat(status).as("a halt within %d s", TestEngine.SECONDS).isNotNull();
    return status;
  }

  @Test
  void aLostDeviceHaltsTheProcessOnceAndTellsItsUsers() throws Exception {
    network.beforePrefill =
        prompts -> {
          throw new DeviceException(Failure.LOST, "illegal address");
        };

    StreamSession session = submit();

    assertThat(halted()).isEqualTo(70).isEqualTo(DeviceExit.DEVICE_LOST);
    assertThat(ended.get(TestEngine.SECONDS, TimeUnit.SECONDS)).hasMessage("illegal address");
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> seat.create("other", TestEngine.settings()))
        .withMessageContaining("illegal address");
    assertThat(seat.snapshot(session))
        .failsWithin(Duration.ofSeconds(TestEngine.SECONDS))
        .withThrowableThat()
        .withMessageContaining("illegal address");
    seat.close();
    engine.close();
    assertThat(network.closed()).isTrue();
    assertThat(halts).as("further halts").isEmpty();
  }

  @Test
  void aStepThatHangsHaltsTheProcessOnce() throws Exception {
    hang();
    long start = System.nanoTime();

    submit();

    assertThat(halted()).isEqualTo(71).isEqualTo(DeviceExit.STEP_HUNG);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(BOUND);
    assertThat(ended.get(TestEngine.SECONDS, TimeUnit.SECONDS))
        .hasMessageContaining("within 200 ms")
        .hasMessageContaining("engine.step-timeout");
    goOn.countDown(); // it comes back after all: too late
    engine.close();
    assertThat(halts).as("further halts").isEmpty();
  }

  @Test
  void closesInABoundedTimeWhileAStepHangs() throws Exception {
    hang();
    submit();
    await(inStep);

    assertThat(CompletableFuture.runAsync(seat::close))
        .succeedsWithin(Duration.ofSeconds(TestEngine.SECONDS));
    assertThat(CompletableFuture.runAsync(engine::close))
        .succeedsWithin(Duration.ofSeconds(TestEngine.SECONDS));
    assertThat(halted()).as("noticed though the engine is closed").isEqualTo(DeviceExit.STEP_HUNG);
  }

  @Test
  void aFullHeapIsNoLostDevice() throws Exception {
    OutOfMemoryError full = new OutOfMemoryError("Java heap space, says the test");
    network.beforePrefill =
        prompts -> {
          throw full;
        };

    submit();

    assertThat(ended.get(TestEngine.SECONDS, TimeUnit.SECONDS)).isSameAs(full);
    assertThatIllegalStateException()
        .isThrownBy(() -> seat.create("other", TestEngine.settings()))
        .withMessageContaining("says the test")
        .withMessageContaining("open another");
    engine.close();
    assertThat(halts).isEmpty();
    assertThat(network.closed()).isTrue();
  }
}
