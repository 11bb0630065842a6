// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GpuDiscoveryTest {
  /** In the place of /dev. */
  @TempDir private Path devices;

  private GpuDiscovery with(Map<String, String> environment) {
    return new GpuDiscovery(environment, devices);
  }

  private GpuDiscovery withNodes(String... names) throws Exception {
    for (String name : names) {
      Files.createFile(devices.resolve(name));
    }
    return with(Map.of());
  }

  @Test
  void offersWhatTheEnvironmentOfTheProcessNames() {
    GpuDiscovery discovery = with(Map.of(GpuDiscovery.VARIABLE, " 3, 5"));

    assertThat(discovery.offer("0,1", 2)).isEqualTo(Set.of(new Gpu(3), new Gpu(5)));
  }

  @Test
  void offersWhatTheConfigurationNamesWhenTheEnvironmentNamesNone() {
    assertThat(with(Map.of(GpuDiscovery.VARIABLE, "")).offer("2", 1)).containsOnly(new Gpu(2));
  }

  @Test
  void offersAllDevicesOfTheDriver() throws Exception {
    GpuDiscovery discovery = withNodes("nvidia0", "nvidia7", "nvidiactl", "nvidia-uvm", "null");

    assertThat(discovery.offer("", 2)).containsOnly(new Gpu(0), new Gpu(1));
  }

  @Test
  void countsAsCudaDoesWhatIsLeftInSight() throws Exception {
    withNodes("nvidia0", "nvidia1", "nvidia2");

    assertThat(with(Map.of("CUDA_VISIBLE_DEVICES", "2")).offer("", 1)).containsOnly(new Gpu(0));
    assertThat(with(Map.of("CUDA_VISIBLE_DEVICES", "GPU-a,1,-1,0")).offer("", 2))
        .containsOnly(new Gpu(0), new Gpu(1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> with(Map.of("CUDA_VISIBLE_DEVICES", "")).offer("", 1))
        .withMessageContaining("CUDA_VISIBLE_DEVICES leaves in sight: 0 (none)");
  }

  @Test
  void refusesFewerThanTheAmount() throws Exception {
    GpuDiscovery discovery = withNodes("nvidia0");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> discovery.offer("", 2))
        .withMessageContaining("GPUs in " + devices + ": 1 (0)")
        .withMessageContaining("external-resource.gpu.amount, 2")
        .withMessageContaining("nvidia-smi");
  }

  /** Or the two TaskManagers of a machine would take the same one. */
  @Test
  void doesNotChooseAmongMoreThanTheAmount() throws Exception {
    GpuDiscovery discovery = withNodes("nvidia0", "nvidia1");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> discovery.offer("", 1))
        .withMessageContaining("2 (0, 1)")
        .withMessageContaining("EVERWATCH_GPUS=0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"one", "0,", "0 1", "-1", "0,0", "1.5", "99999999999"})
  void saysWhatAnIndexLooksLike(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> with(Map.of(GpuDiscovery.VARIABLE, text)).offer("", 1))
        .withMessage(
            "EVERWATCH_GPUS is '%s'; expected indexes of GPUs, such as 0 or 0,1, or none; correct it"
                .formatted(text));
  }

  @Test
  void aTaskManagerMayBeToldToHaveNone() throws Exception {
    withNodes("nvidia0");

    assertThat(with(Map.of(GpuDiscovery.VARIABLE, "none")).offer("", 1)).isEmpty();
  }

  @Test
  void describesWhatAProcessOfThisEnvironmentWouldOffer() throws Exception {
    assertThat(withNodes("nvidia0", "nvidia1").describe())
        .isEqualTo("GPUs in " + devices + ": 0, 1");
    assertThat(with(Map.of(GpuDiscovery.VARIABLE, "x")).describe()).contains("EVERWATCH_GPUS is");
  }

  @Test
  void flinksDriverReadsTheConfiguration() throws Exception {
    Configuration parameters = new Configuration();
    parameters.setString("indexes", "4,6");

    assertThat(
            new GpuDriverFactory().createExternalResourceDriver(parameters).retrieveResourceInfo(2))
        .extracting(gpu -> gpu.getProperty("index").orElseThrow())
        .containsExactlyInAnyOrder("4", "6");
  }
}
