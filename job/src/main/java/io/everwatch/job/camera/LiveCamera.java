// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.camera.CameraMeter.State;
import io.everwatch.job.camera.VideoDecoder.Decoded;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Reads one live camera, connecting again whenever the connection is lost, until it ends by itself,
 * is stopped, or has failed too often. Runs in a thread of its own.
 */
final class LiveCamera implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(LiveCamera.class);

  /** A connection that lived so long did well: the waits begin small again. */
  private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final CameraSettings settings;
  private final CameraAddress address;
  private final MediaPolicy policy;
  private final LiveSender sender;
  private final CameraMeter meter;
  private final Stopping stopping;
  private final Consumer<String> news;
  private final FrameEncoder encoder;
  private final CaptureClock clock;
  private final Thinning thinning;
  private final Backoff backoff;
  private final Playout playout;
  private OptionalLong firstMicros = OptionalLong.empty();
  private PictureSize shown = new PictureSize(1, 1);
  private long lostNanos;

  /**
   * @param news is told what is sent
   */
  LiveCamera(
      CameraSettings settings,
      CameraAddress address,
      LiveSender sender,
      CameraMeter meter,
      Stopping stopping,
      Consumer<String> news) {
    this.settings = settings;
    this.address = address;
    this.sender = sender;
    this.meter = meter;
    this.stopping = stopping;
    this.news = news;
    LiveOptions live = settings.live();
    policy = MediaPolicy.camera(address, live);
    encoder = new FrameEncoder(settings.encoding().orElse(Encoding.JPEG), settings.pictures());
    clock =
        new CaptureClock(
            live.time(),
            address.kind() == CameraAddress.Kind.RTSP,
            () -> Pace.micros(Clock.systemUTC()));
    thinning = Thinning.ofJitter(settings.fps().orElse(CameraSettings.LIVE_FPS));
    backoff = new Backoff(live.retryFirst(), live.retryLongest(), RandomGenerator.getDefault());
    playout = new Playout(stopping);
  }

  @Override
  public void run() {
    MDC.put("stream", settings.stream());
    try (encoder) {
      watch();
      if (meter.state() != State.FAILED) {
        meter.is(State.ENDED);
      }
    } catch (InterruptedException e) {
      meter.is(State.ENDED);
    }
  }

  private void watch() throws InterruptedException {
    while (!stopping.requested()) {
      long connectedNanos = System.nanoTime();
      String reason;
      try (VideoDecoder decoder = new VideoDecoder(policy, stopping)) {
        // a broadcast that ended while we were away is not played from its beginning
        if ((decoder.hasEnd() && firstMicros.isPresent() && hls()) || play(decoder)) {
          return;
        }
        reason = address + " ended its stream";
      } catch (IOException e) {
        reason = address.redaction().of(String.valueOf(e.getMessage()));
      } catch (RuntimeException e) {
        LOG.warn("what went wrong: {}", address.redaction().trace(e));
        reason = address.redaction().of(e.toString());
      }
      if (meter.state() == State.LIVE && System.nanoTime() - connectedNanos > STEADY_NANOS) {
        backoff.succeeded();
      }
      if (stopping.requested() || lost(reason)) {
        return;
      }
    }
  }

  /** Tells it once, and waits; true when it is given up. */
  private boolean lost(String reason) throws InterruptedException {
    Duration wait = backoff.next();
    int allowed = settings.live().attempts().orElse(Integer.MAX_VALUE);
    if (backoff.attempts() > allowed) {
      LOG.error("{}; given up after {} attempts", reason, allowed);
      meter.is(State.FAILED, reason);
      return true;
    }
    if (meter.state() == State.LIVE || meter.failure().isEmpty()) {
      LOG.warn("{}; trying again until it answers", reason);
      lostNanos = System.nanoTime() - meter.lastFrameAge().map(Duration::toNanos).orElse(0L);
    }
    meter.is(State.LOST, reason);
    return stopping.await(wait);
  }

  /** Plays one connection; true when the camera ended by itself, false when it was cut off. */
  private boolean play(VideoDecoder decoder) throws IOException, InterruptedException {
    clock.connected();
    playout.connected();
    boolean first = true;
    for (Optional<Decoded> next = decoder.next(); next.isPresent(); next = decoder.next()) {
      Decoded decoded = next.get();
      if (hls() && playout.await(decoded.offsetMicros())) {
        return true;
      }
      meter.frameReceived();
      if (first) {
        live(decoder, decoded);
        first = false;
      }
      if (send(decoded) || stopping.requested()) {
        return true;
      }
    }
    return address.kind().ends() || (hls() && decoder.hasEnd());
  }

  private boolean hls() {
    return address.kind() == CameraAddress.Kind.HLS;
  }

  private void live(VideoDecoder decoder, Decoded decoded) {
    if (meter.state() == State.LOST) {
      LOG.warn(
          "{} is back, after {} s without a frame and {} attempts",
          address,
          TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - lostNanos),
          backoff.attempts());
      if (firstMicros.isPresent()) {
        meter.reconnected();
      }
    }
    if (firstMicros.isEmpty()) {
      tellWhatIsSent(decoder, decoded);
    }
    meter.is(State.LIVE);
  }

  private void tellWhatIsSent(VideoDecoder decoder, Decoded decoded) {
    shown = size(decoded);
    PictureSize sent = settings.pictures().sizeOf(shown);
    news.accept(
        String.format(
            Locale.ROOT,
            "stream %s: %s, %s %s%s, is sent as %s%s, at most %s frames a second, %d masks, time: %s",
            settings.stream(),
            address,
            decoder.codecName(),
            shown,
            RgbConverter.interlaced(decoded.frame()) ? " interlaced (its upper field)" : "",
            settings.encoding().orElse(Encoding.JPEG),
            shown.equals(sent) ? "" : " " + sent,
            settings.fps().orElse(CameraSettings.LIVE_FPS),
            settings.pictures().masks().size(),
            settings.live().time().name().toLowerCase(Locale.ROOT)));
  }

  /** Sends what is to be sent of it; true when the camera's time is over. */
  private boolean send(Decoded decoded) throws IOException {
    OptionalLong captured = clock.at(decoded.offsetMicros(), decoded.cameraMicros());
    if (captured.isEmpty()) {
      return false;
    }
    long micros = captured.getAsLong();
    if (firstMicros.isEmpty()) {
      firstMicros = captured;
    }
    long since = micros - firstMicros.getAsLong();
    if (settings.duration().isPresent()
        && since >= TimeUnit.NANOSECONDS.toMicros(settings.duration().get().toNanos())) {
      return true;
    }
    if (thinning.takes(since)) {
      tellOfAnotherSize(decoded);
      EncodedFrame picture = encoder.encode(decoded.frame());
      sender.offer(micros, picture);
    }
    return false;
  }

  private void tellOfAnotherSize(Decoded decoded) {
    PictureSize now = size(decoded);
    if (!now.equals(shown)) {
      LOG.warn(
          "{} now sends {} instead of {}; it goes on as {}",
          address,
          now,
          shown,
          settings.pictures().sizeOf(now));
      shown = now;
    }
  }

  private static PictureSize size(Decoded decoded) {
    return new PictureSize(decoded.frame().width(), decoded.frame().height());
  }
}
