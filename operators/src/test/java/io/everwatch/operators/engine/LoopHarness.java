// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.engine.Session.Phase;
import io.everwatch.operators.engine.Session.State;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.StreamSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The step loop on a network of hashes, driven step by step by its test. */
final class LoopHarness {
  final FakeNetwork network;
  final StepLoop loop;

  /** What the network was asked for since this was cleared, e.g. {@code prefill [128, 40]}. */
  final List<String> asked = new ArrayList<>();

  final Map<Session, List<RoundResult>> results = new HashMap<>();
  private final EngineParts parts;
  private final EngineSeat seat;

  LoopHarness(int slots, Watchdog watchdog) {
    network = new FakeNetwork(FakePrompts.VOCABULARY, FakePrompts.END, FakePrompts.PAUSE, slots);
    network.beforePrefill = this::log;
    network.beforeDecode = ids -> asked.add("decode " + ids.length);
    parts = TestEngine.parts(network);
    BatchingEngine engine =
        new BatchingEngine(parts, TestEngine.options(), TestEngine.MUST_NOT_HALT); // never started
    seat = new EngineSeat(engine, this::finished, Integer.MAX_VALUE);
    StageClock clock = new StageClock();
    loop =
        new StepLoop(
            network,
            new StepBatcher(network, StepBatcher.LogitsTrace.NONE, parts.stops(), clock, watchdog),
            parts.ending(),
            clock,
            TestEngine.options());
  }

  LoopHarness() {
    this(100_000, Watchdog.off());
  }

  void log(List<int[]> prompts) {
    asked.add("prefill " + prompts.stream().map(ids -> ids.length).toList());
  }

  private void finished(List<RoundResult> list) {
    for (RoundResult result : list) {
      results.computeIfAbsent((Session) result.session(), session -> new ArrayList<>()).add(result);
    }
  }

  Session session(String stream, StreamSettings settings) {
    Session session =
        new Session(
            seat,
            stream,
            settings,
            parts.policy().apply(settings),
            new State(Committed.NONE, SessionRows.NONE));
    loop.add(session);
    return session;
  }

  /** Submits a round; returns the rows of its prompt. */
  int submit(Session session, RoundInput input) {
    assertThat(session.changePhase(Phase.IDLE, Phase.RUNNING)).isTrue();
    Job job = new Job(seat, session, input);
    loop.submitted(job);
    String said = input.said();
    if (said != null) {
      job.prescribed(parts.ending().turn(said));
    }
    job.planned(
        parts
            .planner()
            .plan(
                session.committed(),
                session.settings(),
                session.policy(),
                input,
                parts.clips().make(input.frames(), session.settings()).vision().orElseThrow()),
        0);
    loop.ready(job);
    return job.plan().prompt().length;
  }

  /** One step with its report; what it asked of the network. */
  List<String> step() {
    asked.clear();
    loop.step();
    loop.report();
    return List.copyOf(asked);
  }

  void runOut() {
    for (int steps = 0; loop.hasWork(); steps++) {
      assertThat(steps).as("steps").isLessThan(10_000);
      step();
    }
  }

  /** All that a stream has said and remembers. */
  List<Object> all(Session session) {
    List<Object> all = new ArrayList<>();
    results.getOrDefault(session, List.of()).forEach(r -> all.add(TestEngine.text(r)));
    StepLoop.Saved saved = loop.save(session, -1);
    all.add(Arrays.toString(saved.committed().memory().ids()));
    all.add(Arrays.deepHashCode(saved.rows().host()));
    return all;
  }

  int rowsUsed() {
    return loop.metrics(0).rowsUsed();
  }

  /** Frames of four vision tokens a pair, each a function of stream and chunk. */
  static RoundInput chunk(String stream, long chunk, int frames) {
    List<EncodedFrame> list = new ArrayList<>();
    for (int i = 0; i < frames; i++) {
      byte[] pixels = new byte[56 * 56 * 3];
      new Random((stream.hashCode() * 31L + chunk) * 31 + i / 2 % 4).nextBytes(pixels);
      list.add(new EncodedFrame(EncodedFrame.Encoding.RGB24, 56, 56, pixels));
    }
    return new RoundInput(chunk, list, false);
  }

  /** An answer of so many words. */
  static String words(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "w" + (10 + i % 20))
        .collect(Collectors.joining(" "));
  }
}
