// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.job.camera.CameraAddress.Kind;
import io.everwatch.job.cli.Everwatch;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Credentials of a camera stay out of everything that is shown. */
class RedactionTest {
  private static final String SECRET = "gehe1m";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rtsp://viewer:gehe1m@10.0.0.5/1",
        "rtsp://viewer:gehe1m%40@10.0.0.5:554/1?x=1",
        "RTSPS://viewer:gehe1m@[fe80::1]:322/",
        "http://:gehe1m@host/video.cgi",
        "http://host/video?user=viewer&pwd=gehe1m&x=1",
        "https://host/live.m3u8?token=gehe1m",
        "https://host/a?session_id=gehe1m",
      })
  void anAddressShowsWhereItIsAndNoCredential(String text) {
    CameraAddress address = CameraAddress.parse(text);

    assertThat(address.toString()).contains("***").doesNotContain(SECRET, "viewer");
    assertThat(address.url()).contains(SECRET);
    assertThat(MediaPolicy.camera(address, LiveOptions.DEFAULTS).toString()).doesNotContain(SECRET);
  }

  @Test
  void aPasswordIsHiddenWhereverItStandsAlsoDecoded() {
    CameraAddress address = CameraAddress.parse("rtsp://v:p%40ss%2Fword@host/1");
    assertThat(
            address.redaction().of("Error p@ss/word and p%40ss%2Fword at rtsp://v:p@ss/word@host/"))
        .isEqualTo("Error *** and *** at rtsp://***@host/");
  }

  @Test
  void aPasswordThatWasNotEncodedIsRefusedWithoutShowingIt() {
    assertThatThrownBy(() -> CameraAddress.parse("rtsp://viewer:gehe1m/more@host/1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("percent-encode")
        .message()
        .doesNotContain(SECRET, "viewer");
  }

  @Test
  void credentialsGivenBesideTheAddressAreEncodedAndHidden() {
    CameraAddress address =
        CameraAddress.parse("rtsp://host:8554/1").withCredentials("a b", "gehe1m@/+");
    assertThat(address.url()).isEqualTo("rtsp://a%20b:gehe1m%40%2F%2B@host:8554/1");
    assertThat(address.toString()).isEqualTo("rtsp://***@host:8554/1");
    assertThat(address.redaction().of("gehe1m@/+")).isEqualTo("***");
    assertThatThrownBy(() -> address.withCredentials("x", "y"))
        .hasMessageContaining("has credentials already")
        .message()
        .doesNotContain(SECRET);
  }

  @ParameterizedTest
  @CsvSource({
    "rtsp://h/1,RTSP",
    "rtsps://h/1,RTSP",
    "http://h/a.m3u8?x=1,HLS",
    "https://h/a.M3U8,HLS",
    "http://h/mjpg/video.cgi,MJPEG",
    "-,STANDARD_INPUT"
  })
  void anAddressTellsHowItsCameraSpeaks(String address, Kind kind) {
    assertThat(CameraAddress.parse(address).kind()).isEqualTo(kind);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://h/1",
        "rtsp://",
        "rtsp:///x",
        "http://h:port/",
        "rtsp://h/a b",
        "file:///etc/passwd"
      })
  void refusesWhatIsNoCamera(String address) {
    assertThatThrownBy(() -> CameraAddress.parse(address))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is no address of a camera");
  }

  @Test
  void theCommandLineNeverRepeatsThem() {
    for (List<String> arguments :
        List.of(
            List.of("camera", "--inptu", "rtsp://viewer:gehe1m@host/1"),
            List.of("camera", "rtsp://viewer:gehe1m@host/1"),
            List.of("--debug", "camera", "--input", "ftp://viewer:gehe1m@host/1", "--stream", "s"),
            List.of("camera", "--input", "rtsp://viewer:gehe1m@host:x/1", "--stream", "s"),
            List.of("--debug", "caption", "rtsp://viewer:gehe1m@host/1"))) {
      StringWriter out = new StringWriter();
      int code =
          Everwatch.commandLine()
              .setErr(new PrintWriter(out))
              .setOut(new PrintWriter(out))
              .execute(arguments.toArray(String[]::new));
      assertThat(code).isNotZero();
      assertThat(out.toString()).as("%s", arguments.get(0)).isNotBlank().doesNotContain(SECRET);
    }
  }

  @Test
  void settingsAreShownWithoutThem() {
    assertThat(Watched.settings("stream", "s", "input", "rtsp://viewer:gehe1m@host/1").toString())
        .contains("rtsp://***@host/1")
        .doesNotContain(SECRET);
  }

  @Test
  void noPartOfAStackTraceShowsThem() {
    Exception inside = new IllegalStateException("cannot open rtsp://viewer:gehe1m@host/1");
    String trace =
        new Redaction(List.of("gehe1m")).trace(new IllegalStateException("gehe1m", inside));
    assertThat(trace)
        .contains("Caused by", "noPartOfAStackTraceShowsThem", "rtsp://***@host/1")
        .doesNotContain(SECRET);
  }
}
