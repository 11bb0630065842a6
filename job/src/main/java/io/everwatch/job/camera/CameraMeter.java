// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** What one camera has done so far. Thread-safe. */
public final class CameraMeter {
  /** Where a camera stands. */
  public enum State {
    CONNECTING,
    LIVE,
    LOST,
    /** Its source ended, or it was told to. */
    ENDED,
    /** It cannot go on. */
    FAILED
  }

  private final String stream;
  private final AtomicLong received = new AtomicLong();
  private final AtomicLong sent = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong reconnects = new AtomicLong();
  private volatile State state = State.CONNECTING;
  private volatile Optional<Long> lastFrameNanos = Optional.empty();
  private volatile Optional<String> failure = Optional.empty();

  CameraMeter(String stream) {
    this.stream = stream;
  }

  public String stream() {
    return stream;
  }

  public State state() {
    return state;
  }

  /** Frames that came from the source. */
  public long received() {
    return received.get();
  }

  /** Frames that the broker has; the end-of-stream record not among them. */
  public long sent() {
    return sent.get();
  }

  /** Frames meant for the broker that it did not get: it was slow, away, or refused them. */
  public long dropped() {
    return dropped.get();
  }

  /** Bytes of the pictures that were sent. */
  public long bytes() {
    return bytes.get();
  }

  /** Connections that brought frames again after one was lost. */
  public long reconnects() {
    return reconnects.get();
  }

  /** Since the last frame came from the source; empty when none has. */
  public Optional<Duration> lastFrameAge() {
    return lastFrameNanos.map(at -> Duration.ofNanos(System.nanoTime() - at));
  }

  /** Why it is lost or failed. */
  public Optional<String> failure() {
    return failure;
  }

  void frameReceived() {
    received.incrementAndGet();
    lastFrameNanos = Optional.of(System.nanoTime());
  }

  void frameSent(int pictureBytes) {
    sent.incrementAndGet();
    bytes.addAndGet(pictureBytes);
  }

  void framesDropped(int frames) {
    dropped.addAndGet(frames);
  }

  void reconnected() {
    reconnects.incrementAndGet();
  }

  void is(State now) {
    state = now;
    failure = Optional.empty();
  }

  void is(State now, String why) {
    state = now;
    failure = Optional.of(why);
  }
}
