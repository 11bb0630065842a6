// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink.gpu;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;

/**
 * One GPU of a TaskManager.
 *
 * @param index as the CUDA driver counts them in this process, from 0
 */
public record Gpu(int index) implements ExternalResourceInfo {
  /** What the resource is called in Flink's configuration. */
  public static final String RESOURCE = "gpu";

  /** The one property, as Flink's own GPU driver has it. */
  public static final String INDEX = "index";

  @Override
  public Optional<String> getProperty(String key) {
    return key.equals(INDEX) ? Optional.of(Integer.toString(index)) : Optional.empty();
  }

  @Override
  public Collection<String> getKeys() {
    return List.of(INDEX);
  }
}
