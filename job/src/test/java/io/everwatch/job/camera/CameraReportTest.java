// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.job.camera.CameraMeter.State;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.Test;

class CameraReportTest {
  private static CameraReport report() {
    CameraMeter gate = new CameraMeter("gate \"1\"");
    gate.frameReceived();
    gate.frameReceived();
    gate.frameSent(1_500_000);
    gate.framesDropped(3);
    gate.is(State.LIVE);
    CameraMeter yard = new CameraMeter("yard");
    yard.is(State.LOST, "Connection refused");
    return new CameraReport(List.of(gate, yard));
  }

  @Test
  void theLineSumsUpAndNamesWhatIsLost() {
    assertThat(report().line())
        .isEqualTo(
            "1 live, 1 lost; received 2, sent 1, dropped 3 frames, 0 reconnects, 1.5 MB; lost: yard");
  }

  @Test
  void jsonHasALinePerCamera() throws IOException {
    List<String> lines = report().json();
    assertThat(lines).hasSize(2);
    JsonNode gate = new ObjectMapper().readTree(lines.get(0));
    assertThat(gate.get("stream").asText()).isEqualTo("gate \"1\"");
    assertThat(gate.get("sent").asLong()).isEqualTo(1);
    assertThat(gate.get("lastFrameAgeMillis").asLong()).isNotNegative();
    JsonNode yard = new ObjectMapper().readTree(lines.get(1));
    assertThat(yard.get("failure").asText()).isEqualTo("Connection refused");
    assertThat(yard.has("lastFrameAgeMillis")).isFalse();
  }

  @Test
  void prometheusReadsItOnThisMachine() throws Exception {
    try (MetricsEndpoint endpoint = new MetricsEndpoint(0, report()::prometheus)) {
      URI uri = URI.create("http://localhost:%d/metrics".formatted(endpoint.port()));
      String text =
          HttpClient.newHttpClient()
              .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
              .body();
      assertThat(text.lines())
          .contains(
              "# TYPE everwatch_camera_frames_sent_total counter",
              "everwatch_camera_frames_sent_total{stream=\"gate \\\"1\\\"\"} 1",
              "everwatch_camera_live{stream=\"yard\"} 0",
              "everwatch_camera_last_frame_age_seconds{stream=\"yard\"} NaN");
      assertThat(text.lines().filter(line -> line.contains("yard"))).hasSize(7);
      assertThatThrownBy(() -> new MetricsEndpoint(endpoint.port(), () -> ""))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot be had");
    }
  }
}
