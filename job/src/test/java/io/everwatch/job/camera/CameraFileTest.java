// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.everwatch.job.camera.LiveOptions.CameraTime;
import io.everwatch.job.camera.LiveOptions.Transport;
import io.everwatch.job.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CameraFileTest {
  private static final Map<String, String> ENVIRONMENT =
      Map.of("CAMERA_PASSWORD", "gehe1m", "GATE_PASSWORD", "gehe1m", "YARD_PASSWORD", "gehe1m");

  @TempDir private Path folder;

  private List<CameraSettings> read(String yaml) throws IOException {
    Path file = Files.writeString(folder.resolve("cameras.yaml"), yaml);
    return CameraFile.read(file, ENVIRONMENT::get);
  }

  private List<String> problems(String yaml) {
    ConfigException failure = catchThrowableOfType(ConfigException.class, () -> read(yaml));
    assertThat(failure).as("the file is refused").isNotNull();
    return failure.problems();
  }

  @Test
  void readsCamerasAndTheirDefaults() throws IOException {
    List<CameraSettings> cameras =
        read(
            """
            defaults:
              fps: 4
              time: camera
              user: viewer
              password: ${CAMERA_PASSWORD}
            cameras:
              - stream: gate
                input: rtsp://10.0.0.5/1
                max-size: 640x360
                masks: [ "0,0,0.2x0.1", "0,0 1,0 1,1" ]
              - stream: yard
                input: rtsps://10.0.0.6/1
                fps: 1.5
                time: arrival
                rtsp-transport: udp
                frame-timeout: 2 h
            """);
    assertThat(cameras).extracting(CameraSettings::stream).containsExactly("gate", "yard");
    CameraSettings gate = cameras.get(0);
    assertThat(gate.fps()).hasValue(4);
    assertThat(gate.live().time()).isEqualTo(CameraTime.CAMERA);
    assertThat(gate.pictures().largest()).contains(new PictureSize(640, 360));
    assertThat(gate.pictures().masks()).hasSize(2);
    assertThat(gate.address().orElseThrow().url()).isEqualTo("rtsp://viewer:gehe1m@10.0.0.5/1");
    CameraSettings yard = cameras.get(1);
    assertThat(yard.fps()).hasValue(1.5);
    assertThat(yard.live().time()).isEqualTo(CameraTime.ARRIVAL);
    assertThat(yard.live().transport()).isEqualTo(Transport.UDP);
    assertThat(yard.live().frameLimit()).isEqualTo(Duration.ofHours(2));
    assertThat(yard.pictures().largest()).contains(new PictureSize(1280, 720));
  }

  @Test
  void namesAllProblemsAtOnceWithTheirLines() {
    assertThat(
            problems(
                """
                defaults:
                  fps: much
                  stream: all
                cameras:
                  - stream: gate
                    input: rtsp://viewer:gehe1m@10.0.0.5:x/1
                    qualty: 80
                  - stream: gate
                    input: rtsp://10.0.0.6/1
                    quality: 101
                    masks: [ "1,1" ]
                    fps: 1
                    fps: 2
                  - input: rtsp://10.0.0.7/1
                    password: ${NO_SUCH}
                    user: viewer
                    time: { a: b }
                  - door
                camera: 3
                """))
        .anySatisfy(it -> assertThat(it).contains("line 2: fps 'much'", "expected a number"))
        .anySatisfy(it -> assertThat(it).contains("line 3: stream", "belongs to each camera"))
        .anySatisfy(it -> assertThat(it).contains("line 6: input", "expected a host"))
        .anySatisfy(it -> assertThat(it).contains("line 7: qualty", "did you mean 'quality'"))
        .anySatisfy(it -> assertThat(it).contains("line 8: stream", "is the stream of line 5"))
        .anySatisfy(it -> assertThat(it).contains("line 10: quality '101'", "from 1 to 100"))
        .anySatisfy(it -> assertThat(it).contains("line 11: masks '1,1'", "three corners"))
        .anySatisfy(it -> assertThat(it).contains("line 13: fps: it stands twice"))
        .anySatisfy(it -> assertThat(it).contains("line 14: stream is missing"))
        .anySatisfy(it -> assertThat(it).contains("line 15: password", "has no NO_SUCH"))
        .anySatisfy(it -> assertThat(it).contains("line 17: time: expected one value"))
        .anySatisfy(it -> assertThat(it).contains("line 18: expected a camera"))
        .anySatisfy(it -> assertThat(it).contains("line 19: 'camera' is out of place"))
        .noneSatisfy(it -> assertThat(it).contains("gehe1m"))
        .hasSize(13);
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThat(
            problems(
                """
                cameras:
                  - { stream: a, input: "http://h/video", time: camera }
                  - { stream: b, input: "rtsp://h/1", user: viewer }
                  - { stream: c, input: "clip.mp4", frame-timeout: 1 s }
                  - { stream: d, input: "rtsp://h/1", retry-first: 1 min, retry-longest: 1 s }
                  - { stream: e, input: "-" }
                """))
        .anySatisfy(it -> assertThat(it).contains("line 2", "carries no time stamps"))
        .anySatisfy(it -> assertThat(it).contains("line 3", "user and password belong together"))
        .anySatisfy(it -> assertThat(it).contains("line 4", "is for live cameras"))
        .anySatisfy(it -> assertThat(it).contains("line 5", "longer than the longest"))
        .anySatisfy(it -> assertThat(it).contains("line 6", "standard input"))
        .hasSize(5);
  }

  @Test
  void namesTheLineOfWhatIsNoYaml() {
    assertThat(problems("cameras: [\n"))
        .singleElement()
        .asString()
        .contains("cameras.yaml, line", "is not YAML");
    assertThat(problems("- a\n")).singleElement().asString().contains("must hold 'cameras:'");
    assertThat(problems("cameras: []\n")).singleElement().asString().contains("names no camera");
  }

  @Test
  void theDocumentedExampleIsAccepted() throws IOException {
    assertThat(CameraFile.read(Path.of("../docs/examples/cameras.yaml"), ENVIRONMENT::get))
        .hasSizeGreaterThan(2);
  }

  @Test
  void aMissingFileIsAnError() {
    assertThatThrownBy(() -> CameraFile.read(folder.resolve("none.yaml"), ENVIRONMENT::get))
        .isInstanceOf(IOException.class);
  }
}
