// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.camera.CameraMeter.State;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Cameras that send to one topic, each in threads of its own, so that none waits for another.
 * Played ones (files, folders, scenes) send everything; live ones what the broker takes in time.
 */
public final class CameraFleet implements AutoCloseable {
  /** What the last frames of a live camera may take at the end, all cameras at once. */
  private static final Duration GOODBYE = Duration.ofSeconds(8);

  /** A camera and how it is doing. */
  private record Member(CameraSettings settings, @Nullable FrameSource played, CameraMeter meter) {}

  /**
   * How played cameras are played.
   *
   * @param startMicros capture time of their start, microseconds since the epoch
   * @param realtime as live cameras, not as fast as the broker takes them
   */
  public record Play(long startMicros, boolean realtime) {}

  private final List<Member> members = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final Stopping stopping = new Stopping();
  private CountDownLatch running = new CountDownLatch(0);

  /**
   * Opens what is played; live cameras wait for {@link #start}.
   *
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when an option does not fit
   */
  public CameraFleet(List<CameraSettings> cameras) throws IOException {
    try {
      for (CameraSettings camera : cameras) {
        FrameSource played = camera.address().isPresent() ? null : camera.openPlayed();
        members.add(new Member(camera, played, new CameraMeter(camera.stream())));
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Begins to send.
   *
   * @param topic stays open until this is closed
   * @param news is told what each live camera sends
   */
  public void start(FrameTopic topic, Play play, Consumer<String> news) {
    running = new CountDownLatch(members.size());
    for (Member member : members) {
      Runnable work =
          member
              .settings()
              .address()
              .map(address -> (Runnable) () -> live(member, address, topic, news))
              .orElse(() -> play(member, topic, play));
      Thread thread =
          new Thread(
              () -> {
                try {
                  work.run();
                } finally {
                  running.countDown();
                }
              },
              "camera-" + member.settings().stream());
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
  }

  private void live(Member member, CameraAddress address, FrameTopic topic, Consumer<String> news) {
    CameraSettings settings = member.settings();
    LiveSender sender =
        new LiveSender(settings.stream(), topic, member.meter(), settings.live().queueFrames());
    Thread camera =
        new Thread(
            new LiveCamera(settings, address, sender, member.meter(), stopping, news),
            "read-" + settings.stream());
    camera.setDaemon(true);
    camera.start();
    try {
      // standard input cannot be interrupted: it is left behind when nothing more is wanted of it
      while (camera.isAlive() && !stopping.requested()) {
        camera.join(TimeUnit.SECONDS.toMillis(1));
      }
      camera.join(MediaPolicy.GOODBYE.plusSeconds(1).toMillis());
      boolean failed = member.meter().state() == State.FAILED;
      if (!failed && !sender.end(GOODBYE)) {
        member.meter().is(State.FAILED, "the broker did not take the end of the stream in time");
      }
    } catch (InterruptedException e) {
      camera.interrupt();
    } finally {
      sender.abandon();
    }
  }

  private void play(Member member, FrameTopic topic, Play play) {
    CameraMeter meter = member.meter();
    Pace pace = play.realtime() ? Pace.realtime(stopping) : Pace.fast();
    try (FrameSource source = new Metered(member.played(), meter)) {
      meter.is(State.LIVE);
      new FramePublisher(topic)
          .publish(member.settings().stream(), source, play.startMicros(), pace);
      meter.is(State.ENDED);
    } catch (IOException | RuntimeException e) {
      meter.is(State.FAILED, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      meter.is(State.ENDED);
    }
  }

  /** Waits; true when all cameras have ended. */
  public boolean awaitEnd(Duration limit) throws InterruptedException {
    return running.await(limit.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Asks all to end in good order: each stream that had frames gets its end. */
  public void stop() {
    stopping.request();
  }

  /** How each is doing, in the order of the settings. */
  public List<CameraMeter> meters() {
    return members.stream().map(Member::meter).toList();
  }

  /** Stops without good order what has not ended. */
  @Override
  public void close() throws IOException {
    stopping.request();
    threads.forEach(Thread::interrupt);
    IOException failure = null;
    for (Member member : members) {
      if (member.played() != null && threads.isEmpty()) { // never started
        try {
          member.played().close();
        } catch (IOException e) {
          failure = e;
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Counts what passes, and ends when all is to end. */
  private final class Metered implements FrameSource {
    private final FrameSource source;
    private final CameraMeter meter;

    Metered(@Nullable FrameSource source, CameraMeter meter) {
      if (source == null) {
        throw new IllegalStateException("stream %s is not played".formatted(meter.stream()));
      }
      this.source = source;
      this.meter = meter;
    }

    @Override
    public Optional<CameraFrame> next() throws IOException {
      Optional<CameraFrame> frame = stopping.requested() ? Optional.empty() : source.next();
      frame.ifPresent(
          taken -> {
            meter.frameReceived();
            meter.frameSent(taken.picture().bytes().length);
          });
      return frame;
    }

    @Override
    public void close() throws IOException {
      source.close();
    }
  }
}
