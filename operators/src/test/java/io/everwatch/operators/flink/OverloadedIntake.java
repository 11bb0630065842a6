// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;

/**
 * Source subtasks, each with cameras of its own, before one subtask of the operator, which takes a
 * record of each in turn as far as it has come. Time is the engine's: each round that it answers
 * takes the same part of a second, whatever the machine makes of it; only an idle engine lets time
 * pass until the next record.
 */
final class OverloadedIntake {
  private static final long START_MILLIS = Camera.START_MICROS / 1000;
  private static final int MAIL_PRIORITY = 1000; // above any operator's: in the order of the mails

  /** A frame and when the operator can have it. */
  private record Coming(FrameRecord record, long millis) {}

  private final Bench bench;
  private final double roundMillis;
  private final List<Deque<Coming>> sources = new ArrayList<>();
  private final List<List<Camera>> cameras = new ArrayList<>();
  private final List<Long> behind = new ArrayList<>();
  private final Map<String, List<FrameRecord>> offered = new TreeMap<>();
  private final Map<String, List<TextEvent>> said = new TreeMap<>();
  private final List<Long> lags = new ArrayList<>();
  private double nowMillis = START_MILLIS;
  private int streams;
  private int next;
  private long mostHeapBytes;

  /**
   * No source yet.
   *
   * @param roundsPerSecond that the engine answers
   */
  OverloadedIntake(Bench bench, double roundsPerSecond) {
    this.bench = bench;
    roundMillis = 1000 / roundsPerSecond;
  }

  /**
   * One more source.
   *
   * @param behindMillis how far it is behind the broker
   */
  List<Camera> source(int count, long behindMillis) {
    List<Camera> own = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Camera camera = new Camera("stream-" + streams, streams);
      camera.micros += 37_000L * streams++; // they do not film in step
      own.add(camera);
    }
    sources.add(new ArrayDeque<>());
    cameras.add(own);
    behind.add(behindMillis);
    return own;
  }

  /** So many seconds of all cameras; what waits at the end is left. */
  void run(int seconds) throws Exception {
    for (int i = 0; i < sources.size(); i++) {
      sources.get(i).addAll(film(cameras.get(i), seconds, behind.get(i)));
    }
    bench.harness.setProcessingTime(START_MILLIS);
    bench.answered =
        rounds ->
            bench
                .mailbox()
                .put(new Mail(() -> pass(rounds * roundMillis), MAIL_PRIORITY, "time passes"));
    while (nowMillis < START_MILLIS + 1000.0 * seconds) {
      Optional<FrameRecord> record = take();
      if (record.isPresent()) {
        offer(record.get());
      } else if (bench.understanding().running() > 0) {
        bench.runMail();
      } else {
        pass(untilNext());
      }
      listen();
    }
    bench.answered = rounds -> {}; // what is left takes no time
  }

  /** The cameras end, and all that waits is done. */
  void end() throws Exception {
    for (Camera camera : cameras.stream().flatMap(List::stream).toList()) {
      offer(camera.end());
    }
    bench.settle();
    listen();
  }

  void offer(FrameRecord record) throws Exception {
    offered.computeIfAbsent(record.key().streamId(), id -> new ArrayList<>()).add(record);
    bench.offer(record);
    mostHeapBytes = Math.max(mostHeapBytes, bench.understanding().heapBytes());
  }

  private static List<Coming> film(List<Camera> cameras, int seconds, long behindMillis) {
    List<Coming> coming = new ArrayList<>();
    for (int i = 0; i < 2 * seconds; i++) {
      for (Camera camera : cameras) {
        long arrival = camera.micros / 1000 + 40;
        coming.add(new Coming(camera.frame(), arrival + behindMillis));
      }
    }
    coming.sort(Comparator.comparingLong(Coming::millis));
    return coming;
  }

  private void pass(double millis) throws Exception {
    nowMillis += millis;
    bench.harness.setProcessingTime((long) nowMillis);
  }

  /** From the sources in turn. */
  private Optional<FrameRecord> take() {
    for (int i = 0; i < sources.size(); i++) {
      Deque<Coming> source = sources.get((next + i) % sources.size());
      if (!source.isEmpty() && source.getFirst().millis() <= nowMillis) {
        next = (next + i + 1) % sources.size();
        return Optional.of(source.removeFirst().record());
      }
    }
    return Optional.empty();
  }

  private double untilNext() {
    return sources.stream()
            .filter(source -> !source.isEmpty())
            .mapToLong(source -> source.getFirst().millis())
            .min()
            .orElseThrow()
        - nowMillis
        + 1;
  }

  /** What has been said since. */
  private void listen() throws Exception {
    for (Object one = bench.harness.getOutput().poll();
        one != null;
        one = bench.harness.getOutput().poll()) {
      TextEvent event =
          WireFormat.decodeText(((TextRecord) ((StreamRecord<?>) one).getValue()).value());
      said.computeIfAbsent(event.getStreamId(), id -> new ArrayList<>()).add(event);
      if (isAnswer(event)) {
        lags.add((long) nowMillis - event.getStartMicros() / 1000 - 540); // of its second frame
      }
    }
  }

  private static boolean isAnswer(TextEvent event) {
    return event.getKind() == TextKind.COMMENT || event.getKind() == TextKind.SILENCE;
  }

  /** Records of the stream that were offered, in order. */
  List<FrameRecord> offered(Camera camera) {
    return offered.getOrDefault(camera.id, List.of());
  }

  /** Events of the stream, in order. */
  List<TextEvent> said(Camera camera) {
    return said.getOrDefault(camera.id, List.of());
  }

  /** Chunks that were understood of each. */
  List<Integer> understood(List<Camera> of) {
    return of.stream().map(camera -> understood(camera)).toList();
  }

  private int understood(Camera camera) {
    return (int) said(camera).stream().filter(OverloadedIntake::isAnswer).count();
  }

  /** Most bytes of turns that were in the heap after a record. */
  long mostHeapBytes() {
    return mostHeapBytes;
  }

  /** From the arrival of a chunk's last frame to its text. */
  long lagMillis(double quantile) {
    long[] sorted = lags.stream().mapToLong(Long::longValue).sorted().toArray();
    return sorted[(int) Math.ceil(quantile * sorted.length) - 1];
  }

  @Override
  public String toString() {
    return "chunks understood %s, lags of tenths %s"
        .formatted(
            cameras.stream().map(this::understood).toList(),
            Arrays.toString(
                new long[] {lagMillis(0.1), lagMillis(0.5), lagMillis(0.9), lagMillis(1)}));
  }
}
