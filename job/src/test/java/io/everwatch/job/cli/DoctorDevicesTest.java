// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.cuda.Emulation;
import io.everwatch.kernels.cuda.EnabledOnEmulation;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** What {@code everwatch doctor} says of GPUs, those that are there and those that are not. */
@EnabledOnEmulation
class DoctorDevicesTest {
  private final StringWriter out = new StringWriter();

  private int doctor(String... args) {
    String[] all = new String[args.length + 1];
    all[0] = "doctor";
    System.arraycopy(args, 0, all, 1, args.length);
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(out))
        .execute(all);
  }

  @Test
  void listsEveryGpuAndTheNumericsOfTheChosenOne() {
    Emulation.set("devices=2");

    assertThat(doctor("--device", "cuda")).as(out.toString()).isEqualTo(ExitCodes.OK);
    assertThat(out.toString())
        .containsPattern("ok +cuda +CUDA 13.0; 0: emulated GPU, .*; 1: emulated GPU, ")
        .containsPattern("ok +numerics +cuda: emulated");
    assertThat(Emulation.live(0)).isEqualTo(Emulation.Live.NONE);
  }

  @Test
  void failsWhenTheGpuThatIsAskedForCannotBeUsedAndSaysWhatToDo() {
    Emulation.set("driver=12040");

    assertThat(doctor("--device", "cuda")).isEqualTo(ExitCodes.FAILURE);
    assertThat(out.toString())
        .containsPattern("FAIL +cuda +the driver is of CUDA 12.4; the kernels need CUDA 13.0")
        .contains("→ for a GPU install NVIDIA's driver, release 580 or later");
  }

  @Test
  void passesOnTheCpuWithoutAGpuAndSaysWhyItIsTheCpu() {
    Emulation.set("devices=0");

    assertThat(doctor("--device", "auto")).as(out.toString()).isEqualTo(ExitCodes.OK);
    assertThat(out.toString())
        .containsPattern("- +cuda +CUDA 13.0, but no device")
        .containsPattern("ok +device +cpu, auto: 'cuda' cannot be used: CUDA 13.0, but no device");
  }
}
