// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.BackendProvider.Availability;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceNameTest {
  private record Pretended(String name, Availability availability) implements BackendProvider {
    @Override
    public Backend open(BackendOptions options) {
      throw new UnsupportedOperationException("only asked what it is");
    }
  }

  @Test
  void namesABackEndAndOneOfItsDevices() {
    assertThat(DeviceName.parse("cpu")).isEqualTo(DeviceName.CPU);
    assertThat(DeviceName.parse(" cuda ")).isEqualTo(new DeviceName("cuda", 0));
    assertThat(DeviceName.parse("cuda:0")).isEqualTo(new DeviceName("cuda", 0));
    assertThat(DeviceName.parse("cuda:12")).isEqualTo(new DeviceName("cuda", 12));
    assertThat(DeviceName.parse("cuda:12")).hasToString("cuda:12");
    assertThat(DeviceName.parse("cuda:0")).hasToString("cuda");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "cuda:", "cuda:x", "cuda:-1", "CUDA", "cpu:1", "auto:2", "cuda:1:2"})
  void refusesWhatIsNoDevice(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DeviceName.parse(text))
        .withMessageContaining("expected");
  }

  @Test
  void autoIsTheGpuWhereItCanBeUsedAndTheCpuWithTheReasonWhereNot() {
    DeviceName auto = DeviceName.parse("auto");
    BackendProvider good =
        new Pretended("cuda", new Availability(true, "CUDA 13.0: NVIDIA H200", ""));
    BackendProvider bad =
        new Pretended("cuda", new Availability(false, "no CUDA driver", "install the driver"));

    Backends.Choice gpu = Backends.choose(auto, List.of(good));
    assertThat(gpu.device()).isEqualTo(DeviceName.parse("cuda"));
    assertThat(gpu.reason()).contains("NVIDIA H200");

    Backends.Choice cpu = Backends.choose(auto, List.of(bad));
    assertThat(cpu.device()).isEqualTo(DeviceName.CPU);
    assertThat(cpu.reason()).contains("no CUDA driver").contains("install the driver");

    assertThat(Backends.choose(auto, List.of()).device()).isEqualTo(DeviceName.CPU);
  }

  @Test
  void autoNeverTakesWhatOnlyStandsInForAGpu() {
    Availability good = new Availability(true, "an emulated GPU", "");
    BackendProvider standIn =
        new BackendProvider() {
          @Override
          public String name() {
            return "cuda";
          }

          @Override
          public Availability availability() {
            return good;
          }

          @Override
          public boolean preferred() {
            return false;
          }

          @Override
          public Backend open(BackendOptions options) {
            throw new UnsupportedOperationException("only asked what it is");
          }
        };

    assertThat(Backends.choose(DeviceName.parse("auto"), List.of(standIn)).device())
        .isEqualTo(DeviceName.CPU);
  }

  @Test
  void aNamedDeviceIsNeverExchangedForAnother() {
    DeviceName second = DeviceName.parse("cuda:1");
    BackendProvider bad = new Pretended("cuda", new Availability(false, "no driver", "install"));
    assertThat(Backends.choose(second, List.of(bad)).device()).isEqualTo(second);
  }
}
