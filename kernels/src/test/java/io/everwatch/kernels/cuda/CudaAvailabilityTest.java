// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.BackendProvider.Availability;
import io.everwatch.kernels.DeviceException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code everwatch doctor} says of a machine's GPUs, and whoever opens one. */
class CudaAvailabilityTest {
  private static final List<String> FAMILIES = List.of("smoke");

  private static Availability here() {
    return CudaAvailability.of(CudaDriver.probe(), KernelImages.standard(), FAMILIES);
  }

  @Test
  @EnabledOnEmulation
  void listsEveryDevice() {
    Emulation.set("devices=3", "memory=1g");

    assertThat(here().usable()).isTrue();
    assertThat(here().advice()).isEmpty();
    assertThat(here().detail())
        .isEqualTo(
            "CUDA 13.0; 0: emulated GPU, compute capability 8.0, 1.0 GiB; 1: emulated GPU, compute"
                + " capability 8.0, 1.0 GiB; 2: emulated GPU, compute capability 8.0, 1.0 GiB");
  }

  @Test
  @EnabledOnEmulation
  void saysWhichDriverIsNeeded() {
    Emulation.set("driver=12040");

    assertThat(here().usable()).isFalse();
    assertThat(here().detail()).contains("CUDA 12.4", "CUDA 13.0");
    assertThat(here().advice()).contains("580 or later", "'cpu'");
    assertThatThrownBy(() -> CudaDevice.open(0))
        .isInstanceOf(DeviceException.class)
        .hasMessageContainingAll("device 0", "CUDA 12.4", "580");
  }

  @Test
  @EnabledOnEmulation
  void saysThatTheMachineShowsNoDevice() {
    Emulation.set("devices=0");

    assertThat(here().usable()).isFalse();
    assertThat(here().detail()).isEqualTo("CUDA 13.0, but no device");
    assertThat(here().advice()).containsAnyOf("nvidia-smi", "CUDA_VISIBLE_DEVICES");
    assertThatThrownBy(() -> CudaDevice.open(0)).isInstanceOf(DeviceException.class);
  }

  @Test
  @EnabledOnEmulation
  void saysWhichGpusAreTooOld() {
    Emulation.set("capability=75");

    assertThat(here().usable()).isFalse();
    assertThat(here().detail()).contains("compute capability 7.5", "too old");
    assertThat(here().advice()).contains("8.0 or later", "A100");
    assertThatThrownBy(() -> CudaDevice.open(0))
        .isInstanceOf(DeviceException.class)
        .hasMessageContainingAll("7.5", "8.0");
  }

  @Test
  @EnabledOnEmulation
  void saysWhatTheDriverReturned() {
    Emulation.set("fail=init:*:1:802");

    Availability broken = here();
    assertThat(broken.usable()).isFalse();
    assertThat(broken.detail()).contains("CUDA_ERROR_SYSTEM_NOT_READY (802)");
    assertThat(broken.advice()).contains("nvidia-smi");
  }

  @Test
  void namesTheKernelsThatWereNotBuiltAndTheStepThatBuildsThem() {
    CudaDriver driver = new CudaDriver(true, "CUDA 13.0; 0: a GPU", "", 1);

    Availability without =
        CudaAvailability.of(
            driver, KernelImages.inFolder(Path.of("nowhere"), ".fatbin"), List.of("norm", "rows"));

    assertThat(without.usable()).isFalse();
    assertThat(without.detail()).contains("0: a GPU", "norm, rows", "2 of 2");
    assertThat(without.advice()).contains("nvcc", "-Deverwatch.nvcc=true", "'cpu'");
  }

  @Test
  @EnabledOnEmulation
  void theProviderOffersWhatIsHereButNeverByItself() {
    CudaBackendProvider provider = new CudaBackendProvider();

    assertThat(provider.availability().usable()).isTrue();
    assertThat(provider.preferred()).as("the stand-in driver is for tests").isFalse();
  }

  @Test
  void findsTheReasonInTheBindingsMessage() {
    Throwable trace =
        new UnsatisfiedLinkError(
            "Error while loading native library\n  at somewhere\nlibcuda.so.1: cannot open shared"
                + " object file: No such file or directory\n  at elsewhere");

    assertThat(CudaDriver.reason(trace))
        .isEqualTo("libcuda.so.1: cannot open shared object file: No such file or directory");
  }
}
