// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * GStreamer's RTSP server as a camera: a process of its own that can be killed. Debian: {@code
 * gir1.2-gst-rtsp-server-1.0}, {@code python3-gi}, {@code gstreamer1.0-plugins-good} and {@code
 * -bad}.
 */
final class RtspServer implements AutoCloseable {
  private static final Path PYTHON = Path.of("/usr/bin/python3");
  private static final String SCRIPT = "src/test/resources/camera/rtsp_server.py";
  static final Path CLIP = Path.of("src/test/resources/video/bottle-detection.mp4");

  private final int port;
  private final List<String> credentials;
  private @Nullable Process process;

  RtspServer(int port, String... credentials) {
    this.port = port;
    this.credentials = List.of(credentials);
  }

  /** Why it cannot run here; empty when it can. */
  static String missing() throws IOException, InterruptedException {
    if (!Files.isExecutable(PYTHON)) {
      return "no " + PYTHON;
    }
    Process check =
        new ProcessBuilder(
                PYTHON.toString(),
                "-c",
                "import gi; gi.require_version('GstRtspServer', '1.0');"
                    + "from gi.repository import Gst; Gst.init(None);"
                    + "assert Gst.ElementFactory.find('rtph264pay') and"
                    + " Gst.ElementFactory.find('h264parse')")
            .redirectErrorStream(true)
            .start();
    String said = new String(check.getInputStream().readAllBytes(), UTF_8);
    return check.waitFor() == 0
        ? ""
        : "GStreamer's RTSP server is not installed (.ci/run names the packages): " + said;
  }

  /** Returns when it listens. */
  void start() throws IOException {
    List<String> command = new ArrayList<>(List.of(PYTHON.toString(), SCRIPT, "" + port));
    command.add(CLIP.toAbsolutePath().toString());
    command.addAll(credentials);
    Process started = new ProcessBuilder(command).redirectErrorStream(true).start();
    process = started;
    BufferedReader said =
        new BufferedReader(new InputStreamReader(started.getInputStream(), UTF_8));
    StringBuilder all = new StringBuilder();
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      if (line.equals("ready")) {
        return;
      }
      all.append(line).append('\n');
    }
    throw new IOException("the RTSP server ended: " + all);
  }

  /** SIGKILL; returns when it is gone. */
  void kill() throws InterruptedException {
    if (process != null) {
      process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
      process = null;
    }
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }
}
