// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.RetentionWindow;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.FrameDecoder;
import io.everwatch.operators.model.FrameLimits;
import io.everwatch.operators.model.FrameProcessor;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/** An engine on a {@link FakeNetwork}, one seat at it and all that the seat heard. */
final class TestEngine implements AutoCloseable {
  private static final float[] MEAN = {0.5f, 0.5f, 0.5f};
  static final long SECONDS = 60;

  final FakeNetwork network;
  final BatchingEngine engine;
  final Seat seat;
  final List<Integer> halted = new CopyOnWriteArrayList<>();
  final Map<String, List<RoundResult>> heard = new ConcurrentHashMap<>();
  private final LinkedBlockingQueue<RoundResult> results = new LinkedBlockingQueue<>();

  TestEngine(int slots, EngineOptions options) {
    network = new FakeNetwork(FakePrompts.VOCABULARY, FakePrompts.END, FakePrompts.PAUSE, slots);
    engine = new BatchingEngine(parts(network), options, halted::add).start();
    seat = engine.attach(this::finished);
  }

  TestEngine() {
    this(200_000, options());
  }

  /** For engines whose device is never lost. */
  static final IntConsumer MUST_NOT_HALT =
      status -> {
        throw new AssertionError("halted with " + status);
      };

  static EngineOptions options() {
    return EngineOptions.builder("fake").threads(1).workers(2).build();
  }

  private void finished(List<RoundResult> list) {
    for (RoundResult result : list) {
      heard.computeIfAbsent(result.session().streamId(), id -> new ArrayList<>()).add(result);
      results.add(result);
    }
  }

  static EngineParts parts(FakeNetwork network) {
    BitSet stops = new BitSet();
    stops.set(FakePrompts.END);
    return new EngineParts(
        network,
        new Clip.Maker(
            new FrameDecoder(FrameLimits.defaults()),
            new FrameProcessor(14, 2, 2, MEAN, MEAN),
            /* decoded= */ false),
        new RoundPlanner(new FakePrompts(), new ContiguousPositions(), 2, 2, 2, null),
        TestEngine::policy,
        FakePrompts.WORDS,
        new TurnEnding(
            FakePrompts.TURN, FakePrompts.END, FakePrompts.WORDS, TurnEnding.CutTurn.PAUSE_AND_END),
        stops,
        settings(),
        "m".repeat(64),
        new NumericsIdentity("n".repeat(64), Map.of("device", "fake")));
  }

  private static StreamingVlmPolicy policy(StreamSettings s) {
    return new StreamingVlmPolicy(
        new RetentionWindow(
            s.textRounds(), s.visualRounds(), s.cutText(), s.textSink(), s.textWindow()),
        FakePrompts.TURN);
  }

  static StreamSettings settings() {
    return new StreamSettings(
        2,
        1_000_000,
        28 * 28,
        56 * 56,
        3,
        4,
        true,
        5,
        9,
        7,
        0.9f,
        1.05f,
        20,
        0.95f,
        42,
        "watch the gate",
        QueryPlacement.CONTEXT,
        9000,
        0,
        16_000_000,
        10_000_000,
        PrefillSettings.DEFAULT);
  }

  /** A picture that is a function of stream and chunk. */
  static EncodedFrame frame(String stream, long chunk, int index) {
    byte[] pixels = new byte[28 * 28 * 3];
    new Random((stream.hashCode() * 31L + chunk) * 31 + index).nextBytes(pixels);
    return new EncodedFrame(EncodedFrame.Encoding.RGB24, 28, 28, pixels);
  }

  static RoundInput chunk(String stream, long chunk) {
    return new RoundInput(chunk, List.of(frame(stream, chunk, 0), frame(stream, chunk, 1)), false);
  }

  StreamSession create(String stream) {
    return seat.create(stream, settings());
  }

  /** Waits for the next result of any stream. */
  RoundResult next() throws InterruptedException {
    RoundResult result = results.poll(SECONDS, TimeUnit.SECONDS);
    assertThat(result).as("a result within %d s", SECONDS).isNotNull();
    return result;
  }

  boolean nothingCame() {
    return results.isEmpty();
  }

  /** One round from submission to result. */
  RoundResult round(StreamSession session, long chunk) throws InterruptedException {
    return round(session, chunk(session.streamId(), chunk));
  }

  RoundResult round(StreamSession session, RoundInput input) throws InterruptedException {
    seat.submit(session, input);
    RoundResult result = next();
    assertThat(result.session()).isSameAs(session);
    return result;
  }

  SessionSnapshot snapshot(StreamSession session) throws Exception {
    return seat.snapshot(session).get(SECONDS, TimeUnit.SECONDS);
  }

  List<String> texts(String stream) {
    return heard.getOrDefault(stream, List.of()).stream().map(TestEngine::text).toList();
  }

  /** What the map must have. */
  static <K, V> V of(Map<K, V> map, K key) {
    V value = map.get(key);
    if (value == null) {
      throw new AssertionError("nothing for " + key + " in " + map.keySet());
    }
    return value;
  }

  /** All that the outcome says. */
  static String text(RoundResult result) {
    return result.round()
        + result.outcome().match(RoundResult.Spoke::toString, Object::toString, Object::toString);
  }

  @Override
  public void close() {
    seat.close();
    engine.close();
    assertThat(halted).as("halts").isEmpty();
    assertThat(network.openContexts()).as("contexts left open").isZero();
    assertThat(network.closed()).isTrue();
    assertThat(engine.metrics().rowsUsed()).as("rows left").isZero();
  }
}
