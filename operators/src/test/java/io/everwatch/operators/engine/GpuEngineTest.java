// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.KvShape;
import io.everwatch.kernels.cuda.Emulation;
import io.everwatch.kernels.cuda.EnabledOnEmulation;
import io.everwatch.kernels.cuda.RequiresDevice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole engine on a GPU: no bit of a stream depends on who else is there or where it was. */
@Timeout(300)
class GpuEngineTest {
  /** Of tiny_a; it has three layers, two KV heads of 32. */
  private static final KvShape SHAPE = new KvShape(3, 4, 2, 32, new int[] {4, 6, 6}, 1e6);

  private static EngineOptions.Builder options() {
    return Company.onGpu().batchRows(2048);
  }

  /** The first three streams, each alone. */
  private static Map<String, Company.Run> alone(EngineOptions options, int chunks)
      throws Exception {
    Map<String, Company.Run> alone = new HashMap<>();
    try (Engine engine = Engines.open(options)) {
      for (int s = 0; s < 3; s++) {
        alone.putAll(Company.run(engine, s, s + 1, chunks, 1));
      }
    }
    return alone;
  }

  private static void requireSame(
      Map<String, Company.Run> expected, Map<String, Company.Run> runs, String what) {
    expected.forEach((name, run) -> run.requireSame(TestEngine.of(runs, name), name + " " + what));
  }

  @Test
  @RequiresDevice
  void aStreamSaysTheSameAloneAndAmongAnyNumberOfOthers() throws Exception {
    int chunks = 4;
    Map<String, Company.Run> alone = alone(options().build(), chunks);
    try (Engine engine = Engines.open(options().build())) {
      for (int streams : new int[] {8, 64}) {
        requireSame(alone, Company.run(engine, 0, streams, chunks, streams), "among " + streams);
      }
    }
  }

  @Test
  @RequiresDevice
  void recordedPassesComputeTheSameAsPassesLaunchedKernelByKernel() throws Exception {
    int chunks = 3;
    System.setProperty("everwatch.cuda.graphs", "false");
    try (Engine single = Engines.open(options().build())) {
      Map<String, Company.Run> expected = Company.run(single, 0, 3, chunks, 4);
      System.clearProperty("everwatch.cuda.graphs");
      try (Engine recorded = Engines.open(options().build())) {
        requireSame(expected, Company.run(recorded, 0, 5, chunks, 6), "by graphs");
        assertThat(recorded.numericsIdentity()).isEqualTo(single.numericsIdentity());
        assertThat(recorded.metrics().device().replays()).isPositive();
        assertThat(single.metrics().device().replays()).isZero();
      }
    } finally {
      System.clearProperty("everwatch.cuda.graphs");
    }
  }

  @Test
  @RequiresDevice
  void rowsThatGaveWayToOthersComeBackUnchanged() throws Exception {
    int chunks = 6;
    Map<String, Company.Run> alone = alone(options().build(), chunks);
    try (Engine engine = Engines.open(options().kvBytes(bytesFor(180)).build())) {
      Map<String, Company.Run> together = Company.run(engine, 0, 8, chunks, 5);
      requireSame(alone, together, "in a pool of " + engine.metrics().rowsLimit());
    }
  }

  /** Memory of a pool of so many rows: eight streams of these settings want three times as many. */
  private static long bytesFor(int slots) {
    try (Backend gpu = Backends.open("cuda", new BackendOptions(1, false))) {
      long bytes = 1 << 20;
      while (gpu.slots(SHAPE, bytes) < slots) {
        bytes += 1 << 16;
      }
      return bytes;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  @RequiresDevice
  void isResumedWithTheSameBitsFromAnySnapshot(DType type) throws Exception {
    int chunks = 5;
    EngineOptions options = options().dtype(type).build();
    try (Engine engine = Engines.open(options)) {
      Company.Run whole = TestEngine.of(Company.run(engine, 2, 3, chunks, 1), "camera-2");
      for (int stop : new int[] {1, 4}) {
        LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
        List<String> texts = new ArrayList<>();
        SessionSnapshot snapshot;
        try (Seat seat = engine.attach(results::addAll)) {
          StreamSession session = seat.create("camera-2", engine.settings());
          say(seat, session, results, texts, 0, stop);
          snapshot = SessionSnapshot.ofPieces(snapshot(seat, session));
        }
        try (Seat seat = engine.attach(results::addAll)) {
          StreamSession restored = seat.restore(snapshot);
          say(seat, restored, results, texts, stop, chunks);
          whole.requireSame(
              new Company.Run(texts, snapshot(seat, restored)), "stopped after " + stop);
        }
      }
    }
  }

  @Test
  @RequiresDevice
  void aSnapshotTakenWhileOthersSpeakIsThatOfASilentEngine() throws Exception {
    int chunks = 4;
    try (Engine engine = Engines.open(options().build())) {
      LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();
      try (Seat seat = engine.attach(results::addAll)) {
        StreamSession session = seat.create("camera-0", engine.settings());
        List<String> texts = new ArrayList<>();
        say(seat, session, results, texts, 0, chunks);
        List<byte[]> quiet = snapshot(seat, session);
        CompletableFuture<Map<String, Company.Run>> others =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return Company.run(engine, 1, 6, chunks, 3);
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                });
        int taken = 0;
        do {
          Company.Run before = new Company.Run(texts, quiet);
          before.requireSame(new Company.Run(texts, snapshot(seat, session)), "taken " + taken);
          taken++;
        } while (!others.isDone());
        assertThat(others.get(60, TimeUnit.SECONDS)).hasSize(5);
      }
    }
  }

  @Test
  @EnabledOnEmulation
  void eachGpuHasAnEngineAndTheyAgree() throws Exception {
    Emulation.set("devices=2");
    EngineOptions second = options().device("cuda:1").build();
    try (Engine one = Engines.shared(options().build());
        Engine two = Engines.shared(second)) {
      Map<String, Company.Run> there = Company.run(two, 0, 2, 2, 1);
      requireSame(there, Company.run(one, 0, 2, 2, 2), "on the other GPU");
      assertThat(two.numericsIdentity()).isEqualTo(one.numericsIdentity());
      assertThat(Emulation.live(0).memory()).isPositive();
      assertThat(Emulation.live(1).memory()).isPositive();
    }
    Engines.open(options().build()).close();
    Engines.open(second).close();
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
    assertThat(Emulation.live(1)).isEqualTo(Emulation.Live.NONE);
  }

  private static List<byte[]> snapshot(Seat seat, StreamSession session) throws Exception {
    return seat.snapshot(session).get(60, TimeUnit.SECONDS).pieces();
  }

  private static void say(
      Seat seat,
      StreamSession session,
      LinkedBlockingQueue<RoundResult> results,
      List<String> texts,
      int from,
      int to)
      throws InterruptedException {
    int stream = Integer.parseInt(session.streamId().replace("camera-", ""));
    for (int chunk = from; chunk < to; chunk++) {
      seat.submit(session, Company.chunk(stream, chunk));
      RoundResult result = results.poll(60, TimeUnit.SECONDS);
      assertThat(result).as("result of chunk %d", chunk).isNotNull();
      texts.add(TestEngine.text(result));
    }
  }
}
