// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Figures of a job as the wall tells them. */
final class FakeJob {
  private static final int[] UPPER_MILLIS = {
    100, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000
  };
  private static final int[] COUNTS = {0, 12, 310, 402, 380, 121, 40, 22, 9, 4, 1, 0};
  private static final int POINTS = 180;

  private FakeJob() {}

  static ObjectNode json(ArrayNode streams, boolean broker, long nowMicros) {
    int count = streams.size();
    long now = nowMicros / 1000;
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ObjectNode states = json.putObject("streams");
    for (String state : new String[] {"live", "waiting", "silent", "stopped", "ended"}) {
      int of = 0;
      for (int i = 0; i < streams.size(); i++) {
        of += streams.get(i).path("state").asText().equals(state) ? 1 : 0;
      }
      states.put(state, of);
    }
    json.put("textsPerSecond", count * 0.94)
        .put("framesPerSecond", count * 2.0)
        .put("bytesPerSecond", count * 21_000.0);
    ObjectNode lag = json.putObject("lagMillis").put("p50", 372).put("p95", 690).put("p99", 1620);
    ArrayNode histogram = lag.putArray("histogram");
    for (int i = 0; i < UPPER_MILLIS.length; i++) {
      histogram.addArray().add(UPPER_MILLIS[i]).add(COUNTS[i]);
    }
    json.putObject("committedLagMillis").put("p50", 1180).put("p95", 2240);
    letters(json.putObject("deadLetters"), now);
    json.putArray("restarts").addObject().put("atMillis", now - 120_000).put("streams", count);
    ArrayNode series = json.putArray("series");
    for (int i = 0; i < POINTS; i++) {
      boolean down = i > 150 && i < 154;
      series
          .addObject()
          .put("atMillis", now - (POINTS - i) * 5000L)
          .put("texts", down ? 0 : count * (0.9 + 0.08 * Math.sin(i * 0.7)))
          .put("frames", count * 2.0)
          .put("lagP95", down ? 2100 : 640 + 60 * Math.cos(i * 0.45));
    }
    flink(json.putObject("flink"), now);
    ObjectNode readers = json.putObject("readers");
    readers.putObject("text").put("connected", broker).put("skipped", 0);
    readers.putObject("frames").put("connected", true).put("skipped", 3);
    return json.put("clients", 1);
  }

  private static void letters(ObjectNode letters, long now) {
    letters.put("total", 19);
    ArrayNode reasons = letters.putArray("reasons");
    reasons
        .addObject()
        .put("reason", "BAD_PICTURE")
        .put("count", 16)
        .put("lastMillis", now - 8000)
        .put("lastStream", "gate <b>4</b>")
        .put(
            "lastDetail",
            "the picture has 3 bytes; JPEG begins FF D8; look at the camera's encoder");
    reasons
        .addObject()
        .put("reason", "LATE")
        .put("count", 3)
        .put("lastMillis", now - 340_000)
        .put("lastStream", "camera-2")
        .put("lastDetail", "captured 3.2 s before the stream's clock, allowed is 1 s");
  }

  private static void flink(ObjectNode flink, long now) {
    flink
        .put("state", "RUNNING")
        .put("jobId", "b2f0")
        .put("name", "everwatch")
        .put("sinceMillis", now - 120_000)
        .put("restarts", 1);
    ObjectNode checkpoints =
        flink
            .putObject("checkpoints")
            .put("completed", 112)
            .put("failed", 1)
            .put("lastMillis", now - 4000)
            .put("lastDurationMillis", 84)
            .put("lastBytes", 8_400_000);
    ArrayNode recent = checkpoints.putArray("recent");
    for (int i = 0; i < 6; i++) {
      recent
          .addObject()
          .put("id", 112 - i)
          .put("atMillis", now - 4000 - i * 10_000L)
          .put("durationMillis", 84 + i * 3)
          .put("bytes", 8_400_000 + i * 1000)
          .put("status", i == 3 ? "FAILED" : "COMPLETED");
    }
  }
}
