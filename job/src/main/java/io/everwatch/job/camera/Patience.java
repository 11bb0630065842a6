// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.time.Duration;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOInterruptCB;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * How long FFmpeg may wait for the other side: it asks some ten times a second, in the thread that
 * called it, whether to go on waiting.
 */
final class Patience {
  /** One for all threads: JavaCPP has few places for callbacks. */
  private static final Asked ASKED = new Asked();

  private static final ThreadLocal<@Nullable Patience> CURRENT = new ThreadLocal<>();

  private final Stopping stopping;
  private long deadlineNanos;
  private boolean limited;
  private boolean lost;

  Patience(Stopping stopping) {
    this.stopping = stopping;
  }

  /** Whatever this container waits for ends when the patience of the calling thread does. */
  static void guard(AVFormatContext container) {
    container.interrupt_callback().callback(ASKED);
  }

  /** From now on; empty = without end. */
  void begin(Optional<Duration> limit) {
    limited = limit.isPresent();
    deadlineNanos = System.nanoTime() + limit.map(Duration::toNanos).orElse(0L);
    lost = false;
  }

  /** Calls FFmpeg, which returns an error once the patience is over. */
  int call(IntSupplier ffmpeg) {
    CURRENT.set(this);
    try {
      return ffmpeg.getAsInt();
    } finally {
      CURRENT.remove();
    }
  }

  /** Whether the time was over before FFmpeg had an answer. */
  boolean lost() {
    return lost;
  }

  /** Whether not to wait any longer. */
  boolean over() {
    if (limited && System.nanoTime() - deadlineNanos > 0) {
      lost = true;
    }
    return lost || stopping.requested();
  }

  private static final class Asked extends AVIOInterruptCB.Callback_Pointer {
    @Override
    public int call(Pointer nothing) {
      Patience patience = CURRENT.get();
      return patience != null && patience.over() ? 1 : 0;
    }
  }
}
