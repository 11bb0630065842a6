// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.scene;

import java.util.List;

/** All that moves in one frame; with a {@link Background} it decides the noise-free picture. */
public record FrameState(List<Placed> vehicles, Lamp lamp) {
  public FrameState {
    vehicles = List.copyOf(vehicles);
  }

  /**
   * A vehicle on its lane.
   *
   * @param lane 0 = upper, 1 = lower
   * @param centerX horizontal centre in pixels; may lie outside the picture
   */
  public record Placed(int lane, VehicleKind kind, Paint paint, double centerX) {}
}
