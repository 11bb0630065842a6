// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import org.jspecify.annotations.Nullable;

/** One lane: empty for a while, then one vehicle from edge to edge. */
final class Lane {
  /** Seconds until a vehicle may enter; runs below zero while another event goes first. */
  int waitSeconds;

  @Nullable Vehicle vehicle;

  Lane(int waitSeconds) {
    this.waitSeconds = waitSeconds;
  }

  /** A vehicle under way. */
  static final class Vehicle {
    final VehicleKind kind;
    final Paint paint;

    /** Pixels per half second; negative = to the left. */
    final double speed;

    double centerX;
    boolean willStop;
    final double stopX;
    boolean standing;
    int standingSeconds;

    Vehicle(
        VehicleKind kind,
        Paint paint,
        double speed,
        double centerX,
        boolean willStop,
        double stopX) {
      this.kind = kind;
      this.paint = paint;
      this.speed = speed;
      this.centerX = centerX;
      this.willStop = willStop;
      this.stopX = stopX;
    }

    static double visibleShare(double centerX, int width) {
      double left = Math.max(0, centerX - width / 2.0);
      double right = Math.min(Background.SIZE, centerX + width / 2.0);
      return Math.max(0, right - left) / width;
    }

    /** Whether less than 30 % of it would be seen in the next frame. */
    boolean isLeaving() {
      return !standing && visibleShare(centerX + speed, kind.width()) < 0.3;
    }

    /** Whether it has passed its stopping place, well inside the picture. */
    boolean wantsToStop() {
      return willStop && (centerX - stopX) * speed > 0 && centerX > 26 && centerX < 86;
    }

    void stop(int seconds) {
      standing = true;
      willStop = false;
      standingSeconds = seconds;
    }

    void advance() {
      if (!standing) {
        centerX += speed;
      }
    }

    String exitSide() {
      return speed > 0 ? "right" : "left";
    }

    String entrySide() {
      return speed > 0 ? "left" : "right";
    }
  }
}
