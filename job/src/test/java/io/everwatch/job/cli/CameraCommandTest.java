// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with the input is said before a broker is asked. */
class CameraCommandTest {
  @TempDir Path folder;

  private final StringWriter err = new StringWriter();

  private int camera(String... arguments) {
    String[] all = new String[arguments.length + 5];
    all[0] = "camera";
    all[1] = "--stream";
    all[2] = "gate";
    all[3] = "--brokers";
    all[4] = "localhost:1";
    System.arraycopy(arguments, 0, all, 5, arguments.length);
    return Everwatch.commandLine().setErr(new PrintWriter(err)).execute(all);
  }

  @Test
  void namesAMissingFile() {
    assertThat(camera("--input", "no/such.mp4")).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString())
        .contains("there is no file or folder 'no/such.mp4'; expected a video file");
  }

  @Test
  void namesAnEmptyFolder() {
    assertThat(camera("--input", folder.toString())).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains(folder + " holds no picture");
  }

  @Test
  void namesAFileThatIsNoVideo() throws IOException {
    Path text = Files.writeString(folder.resolve("a.mp4"), "text");
    assertThat(camera("--input", text.toString())).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("a.mp4 is not a video");
  }

  @Test
  void namesAnUnknownScene() {
    assertThat(camera("--input", "scene:beach")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString())
        .contains("there is no scene 'scene:beach'; known are scene:road and scene:door");
  }

  @Test
  void sceneHasItsOwnFrameRate() {
    assertThat(camera("--input", "scene:road", "--fps", "25")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("this scene has 2 frames a second, not 25.0");
  }

  @Test
  void refusesAFrameRateOfZero() {
    assertThat(camera("--input", folder.toString(), "--fps", "0")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("0.0 frames per second; expected more than 0");
  }

  @Test
  void picturesOfAFolderAreNotEncodedAgain() throws IOException {
    Files.write(folder.resolve("a.png"), new byte[] {1});
    assertThat(camera("--input", folder.toString(), "--encoding", "jpeg"))
        .isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("whose pictures are sent as they are");
  }

  @Test
  void isEitherFastOrRealtime() {
    assertThat(camera("--input", "scene:road", "--fast", "--realtime")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("mutually exclusive");
  }

  @Test
  void refusesADurationItCannotRead() {
    assertThat(camera("--input", "scene:road", "--duration", "soon")).isEqualTo(ExitCodes.USAGE);
    assertThat(err.toString()).contains("'soon'").contains("expected a duration");
  }
}
