// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.operators.model.Trace;
import java.util.HashMap;
import java.util.Map;

/** Copies of all intermediate results. */
final class Seen implements Trace {
  private final Backend backend;
  private final Map<String, float[]> values = new HashMap<>();

  Seen(Backend backend) {
    this.backend = backend;
  }

  @Override
  public void saw(Step step, int index, DeviceBuffer buffer, int rows, int columns) {
    float[] copy = new float[rows * columns];
    backend.download(buffer, 0, copy, 0, copy.length);
    values.put(step.name() + index, copy);
  }

  float[] values(Step step, int index) {
    float[] found = values.get(step.name() + index);
    if (found == null) {
      throw new IllegalStateException("nothing was seen of %s %d".formatted(step, index));
    }
    return found;
  }
}
