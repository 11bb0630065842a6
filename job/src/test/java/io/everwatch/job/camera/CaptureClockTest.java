// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.camera.LiveOptions.CameraTime;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CaptureClockTest {
  private static final long NOW = 1_800_000_000_000_000L;
  private static final long SECOND = 1_000_000;
  private static final OptionalLong NONE = OptionalLong.empty();

  private long now = NOW;

  private CaptureClock clock(CameraTime time, boolean reports) {
    CaptureClock clock = new CaptureClock(time, reports, () -> now);
    clock.connected();
    return clock;
  }

  private static long at(CaptureClock clock, long offset, OptionalLong camera) {
    return clock.at(offset, camera).orElseThrow();
  }

  @Test
  void arrivalIsTheTimeHereWhateverTheCameraSays() {
    CaptureClock clock = clock(CameraTime.ARRIVAL, true);
    assertThat(at(clock, 0, OptionalLong.of(5))).isEqualTo(NOW);
    now += SECOND;
    assertThat(at(clock, 99 * SECOND, NONE)).isEqualTo(NOW + SECOND);
  }

  @Test
  void framesOfTheSameInstantHaveDifferentTimes() {
    CaptureClock clock = clock(CameraTime.ARRIVAL, false);
    assertThat(at(clock, 0, NONE)).isEqualTo(NOW);
    assertThat(at(clock, 0, NONE)).isEqualTo(NOW + 1);
  }

  @Test
  void withoutReportsTimeStampsCountFromTheFirstArrival() {
    CaptureClock clock = clock(CameraTime.CAMERA, false);
    assertThat(at(clock, 0, NONE)).isEqualTo(NOW);
    now += 7 * SECOND; // a burst that comes late
    assertThat(at(clock, SECOND, NONE)).isEqualTo(NOW + SECOND);
    assertThat(at(clock, 2 * SECOND, NONE)).isEqualTo(NOW + 2 * SECOND);
  }

  @Test
  void theFirstFramesWaitForTheFirstReportButNotForEver() {
    CaptureClock clock = clock(CameraTime.CAMERA, true);
    assertThat(clock.at(0, NONE)).isEmpty();
    now += CaptureClock.REPORT_MICROS - 1;
    assertThat(clock.at(4 * SECOND, NONE)).isEmpty();
    now += 1;
    assertThat(at(clock, 5 * SECOND, NONE)).isEqualTo(now);
  }

  @Test
  void aReportTiesTimeStampsToTheCamerasClock() {
    CaptureClock clock = clock(CameraTime.CAMERA, true);
    long camera = NOW - 60 * SECOND;
    assertThat(at(clock, 0, OptionalLong.of(camera))).isEqualTo(camera);
    now += 3 * SECOND;
    assertThat(at(clock, SECOND, NONE)).as("between reports").isEqualTo(camera + SECOND);
  }

  @Test
  void afterAReconnectTheCamerasClockIsKnownBeforeItReports() {
    CaptureClock clock = clock(CameraTime.CAMERA, true);
    at(clock, 0, OptionalLong.of(NOW - 60 * SECOND));
    clock.connected();
    now += 10 * SECOND;
    assertThat(at(clock, 0, NONE)).isEqualTo(NOW - 50 * SECOND);
  }

  @Test
  void aCameraThatDoesNotKnowTheTimeIsNotBelieved() {
    CaptureClock clock = clock(CameraTime.CAMERA, true);
    assertThat(clock.at(0, OptionalLong.of(17))).isEmpty();
    now += CaptureClock.REPORT_MICROS;
    assertThat(at(clock, 0, OptionalLong.of(17))).isEqualTo(now);
  }

  @Test
  void aClockSetForwardIsFollowedAndOneSetBackGoesOn() {
    CaptureClock clock = clock(CameraTime.CAMERA, true);
    at(clock, 0, OptionalLong.of(NOW));
    assertThat(at(clock, SECOND, OptionalLong.of(NOW + 3600 * SECOND)))
        .isEqualTo(NOW + 3600 * SECOND);
    long before = at(clock, 2 * SECOND, OptionalLong.of(NOW + 3601 * SECOND));
    long back = at(clock, 3 * SECOND, OptionalLong.of(NOW + 2 * SECOND));
    assertThat(back).isEqualTo(before + 1);
    assertThat(at(clock, 4 * SECOND, OptionalLong.of(NOW + 3 * SECOND))).isEqualTo(back + SECOND);
  }

  @Test
  void neverGoesBackWhateverComes() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      CaptureClock clock =
          clock(
              random.nextBoolean() ? CameraTime.CAMERA : CameraTime.ARRIVAL, random.nextBoolean());
      long last = Long.MIN_VALUE;
      for (int i = 0; i < 200; i++) {
        now += random.nextLong(-2 * SECOND, 3 * SECOND);
        if (random.nextInt(20) == 0) {
          clock.connected();
        }
        OptionalLong camera =
            random.nextBoolean() ? NONE : OptionalLong.of(random.nextLong(-NOW, 2 * NOW));
        OptionalLong at = clock.at(random.nextLong(100 * SECOND), camera);
        if (at.isPresent()) {
          assertThat(at.getAsLong()).as("seed %d, frame %d", seed, i).isGreaterThan(last);
          last = at.getAsLong();
        }
      }
    }
  }
}
