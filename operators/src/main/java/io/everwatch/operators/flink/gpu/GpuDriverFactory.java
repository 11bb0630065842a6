// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink.gpu;

import org.apache.flink.api.common.externalresource.ExternalResourceDriver;
import org.apache.flink.api.common.externalresource.ExternalResourceDriverFactory;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;

/**
 * What {@code external-resource.gpu.driver-factory.class} names: a TaskManager asks it once, at its
 * start, for the GPUs that its task slots share. {@link GpuDiscovery} says which those are.
 */
public final class GpuDriverFactory implements ExternalResourceDriverFactory {
  /** {@code external-resource.gpu.param.indexes}; Flink takes the prefix off. */
  private static final ConfigOption<String> INDEXES =
      ConfigOptions.key(GpuDiscovery.PARAMETER).stringType().defaultValue("");

  @Override
  public ExternalResourceDriver createExternalResourceDriver(Configuration parameters) {
    String configured = parameters.get(INDEXES);
    return amount -> GpuDiscovery.ofThisProcess().offer(configured, amount);
  }
}
