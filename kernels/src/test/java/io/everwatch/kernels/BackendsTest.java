// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.kernels.BackendProvider.Availability;
import org.junit.jupiter.api.Test;

class BackendsTest {
  @Test
  void findsBothBackEnds() {
    assertThat(Backends.providers())
        .extracting(BackendProvider::name)
        .containsExactlyInAnyOrder("cpu", "cuda");
  }

  @Test
  void namesTheUnknownBackEnd() {
    assertThatThrownBy(() -> Backends.open("tpu", BackendOptions.defaults()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("tpu", "cpu", "cuda");
  }

  @Test
  void askingForTheDriverNeverThrowsAndAlwaysAnswersTheSame() {
    Availability first = provider("cuda").availability();
    Availability second = provider("cuda").availability();

    assertThat(first).isEqualTo(second);
    assertThat(first.detail()).isNotBlank().doesNotContain("\n");
    assertThat(first.usable()).isEqualTo(first.advice().isEmpty());
  }

  @Test
  void refusesADeviceThatIsNotThere() {
    assertThatThrownBy(() -> Backends.open("cuda:99", BackendOptions.defaults()))
        .isInstanceOfSatisfying(
            DeviceException.class,
            e -> assertThat(e.failure()).isEqualTo(DeviceException.Failure.REFUSED))
        .hasMessageContaining("99");
  }

  @Test
  void carriesTheNativesOfJCuda() {
    assertThat(Backends.class.getResource("/lib/libJCudaDriver-12.6.0-linux-x86_64.so"))
        .isNotNull();
  }

  @Test
  void namesLibraryAndInstructionSetOfTheCpu() {
    Availability cpu = provider("cpu").availability();

    assertThat(cpu.usable()).isTrue();
    assertThat(cpu.detail()).contains("oneDNN 3.").contains("avx");
    try (Backend backend = Backends.open("cpu", BackendOptions.defaults())) {
      assertThat(backend.numerics()).contains("oneDNN 3.").contains("avx").contains("f32");
    }
  }

  private static BackendProvider provider(String name) {
    return Backends.providers().stream()
        .filter(p -> p.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
