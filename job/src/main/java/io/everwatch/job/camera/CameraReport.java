// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.camera.CameraMeter.State;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** How cameras are doing: a line for people, JSON for programs, and Prometheus' text format. */
public final class CameraReport {
  private static final int NAMED = 5;

  private final List<CameraMeter> cameras;

  public CameraReport(List<CameraMeter> cameras) {
    this.cameras = List.copyOf(cameras);
  }

  /** All cameras in one line, those that are in trouble by name. */
  public String line() {
    return String.format(
        Locale.ROOT,
        "%s; received %d, sent %d, dropped %d frames, %d reconnects, %.1f MB%s",
        Arrays.stream(State.values())
            .filter(state -> in(state) > 0)
            .map(state -> in(state) + " " + state.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", ")),
        sum(CameraMeter::received),
        sum(CameraMeter::sent),
        sum(CameraMeter::dropped),
        sum(CameraMeter::reconnects),
        cameras.stream().mapToLong(CameraMeter::bytes).sum() / 1e6,
        troubled());
  }

  private long in(State state) {
    return cameras.stream().filter(camera -> camera.state() == state).count();
  }

  private long sum(ToDoubleFunction<CameraMeter> figure) {
    return (long) cameras.stream().mapToDouble(figure).sum();
  }

  private String troubled() {
    List<String> names =
        cameras.stream()
            .filter(camera -> camera.state() == State.LOST || camera.state() == State.FAILED)
            .map(CameraMeter::stream)
            .toList();
    if (names.isEmpty()) {
      return "";
    }
    String first = names.stream().limit(NAMED).collect(Collectors.joining(", "));
    return "; lost: " + first + (names.size() > NAMED ? " and others" : "");
  }

  /** One JSON object per camera and line. */
  public List<String> json() {
    return cameras.stream().map(camera -> json(camera).toString()).toList();
  }

  private static ObjectNode json(CameraMeter camera) {
    ObjectNode line = JsonNodeFactory.instance.objectNode();
    line.put("stream", camera.stream());
    line.put("state", camera.state().name().toLowerCase(Locale.ROOT));
    line.put("received", camera.received());
    line.put("sent", camera.sent());
    line.put("dropped", camera.dropped());
    line.put("reconnects", camera.reconnects());
    line.put("bytes", camera.bytes());
    camera
        .lastFrameAge()
        .map(Duration::toMillis)
        .ifPresent(millis -> line.put("lastFrameAgeMillis", millis));
    camera.failure().ifPresent(why -> line.put("failure", why));
    return line;
  }

  /** Seven series per camera. */
  public String prometheus() {
    StringBuilder text = new StringBuilder();
    add(text, "frames_received_total", "counter", "Frames from the source.", CameraMeter::received);
    add(text, "frames_sent_total", "counter", "Frames that the broker has.", CameraMeter::sent);
    add(
        text,
        "frames_dropped_total",
        "counter",
        "Frames lost to the broker.",
        CameraMeter::dropped);
    add(text, "reconnects_total", "counter", "Connections made anew.", CameraMeter::reconnects);
    add(text, "sent_bytes_total", "counter", "Bytes of pictures sent.", CameraMeter::bytes);
    add(
        text,
        "live",
        "gauge",
        "1 while frames come.",
        camera -> camera.state() == State.LIVE ? 1 : 0);
    add(
        text,
        "last_frame_age_seconds",
        "gauge",
        "Since the last frame; NaN before the first.",
        camera -> camera.lastFrameAge().map(age -> age.toMillis() / 1e3).orElse(Double.NaN));
    return text.toString();
  }

  private void add(
      StringBuilder text,
      String name,
      String type,
      String help,
      ToDoubleFunction<CameraMeter> value) {
    String whole = "everwatch_camera_" + name;
    text.append("# HELP %s %s\n# TYPE %s %s\n".formatted(whole, help, whole, type));
    for (CameraMeter camera : cameras) {
      double now = value.applyAsDouble(camera);
      text.append(whole)
          .append("{stream=\"")
          .append(escaped(camera.stream()))
          .append("\"} ")
          .append(now == Math.rint(now) ? String.valueOf((long) now) : String.valueOf(now))
          .append('\n');
    }
  }

  private static String escaped(String label) {
    return label.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }
}
