// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.scene.FrameState;
import io.everwatch.job.scene.RoadScene;
import io.everwatch.job.scene.RoadWorld;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One simulated stream: a synthetic road with its truth as text, and what befalls it. The same seed
 * and the same moment give the same answers.
 */
final class FakeStream {
  static final long SECOND = 1_000_000;
  private static final long MILLI = 1_000;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** What a second looked like, and its text event; neither where there was nothing. */
  record Second(long startMicros, @Nullable FrameState frame, @Nullable ObjectNode text) {}

  final String id;
  private final Trouble trouble;
  private final RoadWorld world;
  private final long beganMicros;
  private final long openedMicros;
  private final FakeMemory memory;
  private final List<Second> seconds = new ArrayList<>();
  private @Nullable ObjectNode lastText;
  private @Nullable ObjectNode lastComment;
  private @Nullable FrameState lastFrame;
  private long lastFrameChunk;

  /**
   * @param beganMicros capture time of the first frame
   * @param openedMicros when the wall is opened: troubles are set relative to it
   */
  FakeStream(int index, long seed, Trouble trouble, long beganMicros, long openedMicros) {
    this.id = index == 3 ? "gate <b>4</b>" : "camera-" + (index + 1);
    this.trouble = trouble;
    this.beganMicros = beganMicros;
    this.openedMicros = openedMicros;
    world = new RoadWorld(new RoadScene(seed + index, RoadScene.DEFAULT_DENSITY, Optional.empty()));
    memory = new FakeMemory(world.instruction());
  }

  /** Lets time pass; a second's text is there 400 ms after its end. */
  synchronized void advance(long nowMicros) {
    while (beganMicros + (seconds.size() + 1) * SECOND + 400 * MILLI <= nowMicros) {
      seconds.add(next());
    }
  }

  private Second next() {
    long chunk = seconds.size();
    long start = beganMicros + chunk * SECOND;
    long before = (openedMicros - start) / SECOND;
    RoadWorld.Second truth = world.next();
    boolean frames =
        switch (trouble) {
          case SILENT -> before > 45;
          case ENDED -> before > 90;
          case GAPS -> chunk % 70 >= 4 || chunk < 4;
          default -> true;
        };
    if (frames) {
      lastFrame = truth.frames().get(0);
      lastFrameChunk = chunk;
    }
    ObjectNode text = text(chunk, start, before, frames, truth.truth().strip());
    if (text != null) {
      lastText = text;
      if (text.path("kind").asText().equals("COMMENT")) {
        lastComment = text;
      }
    }
    return new Second(start, frames ? truth.frames().get(0) : null, text);
  }

  private @Nullable ObjectNode text(
      long chunk, long start, long before, boolean frames, String truth) {
    if ((trouble == Trouble.WAITING && before <= 12)
        || (trouble == Trouble.SILENT && before < 44)
        || (trouble == Trouble.ENDED && before < 90)) {
      return null;
    }
    if (trouble == Trouble.SILENT && before == 44) {
      return event(chunk, start, "STALE", "").put("subject", "stale");
    }
    if (trouble == Trouble.ENDED && before == 90) {
      return event(chunk, start, "ENDED", "").put("subject", "ended");
    }
    if (trouble == Trouble.STOPPED && before <= 200) {
      return gap(chunk, start, 1, "stopped");
    }
    if (!frames) {
      return chunk % 70 == 3 ? gap(chunk - 3, start - 3 * SECOND, 4, "") : null;
    }
    if (trouble == Trouble.OVERLOADED && chunk % 40 < 6) {
      return chunk % 40 == 5 ? gap(chunk - 5, start - 5 * SECOND, 6, "overload") : null;
    }
    if (trouble == Trouble.ERRORS && chunk % 31 == 7) {
      return event(
          chunk, start, "ERROR", "the picture of frame 1408 has 3 bytes; JPEG begins FF D8");
    }
    return understood(chunk, start, truth);
  }

  private ObjectNode understood(long chunk, long start, String truth) {
    String said = truth;
    if (trouble == Trouble.MARKUP && !truth.isEmpty()) {
      said = "<img src=x onerror=alert(1)><script>document.title='owned'</script> " + truth;
    }
    ObjectNode event = event(chunk, start, said.isEmpty() ? "SILENCE" : "COMMENT", said);
    if (trouble == Trouble.OVERLOADED && chunk % 40 == 9) {
      event.putObject("merged").put("firstChunk", chunk - 3).put("lastChunk", chunk);
    }
    if (chunk == 200 && trouble == Trouble.NONE) {
      event.put("clockReset", true);
    }
    event.set("memory", memory.after(said));
    return event.put("round", chunk).put("tokens", said.length() / 4);
  }

  private ObjectNode event(long chunk, long start, String kind, String text) {
    // The job was started anew two minutes before the wall was opened.
    boolean again = start > openedMicros - 120 * SECOND;
    ObjectNode event =
        JSON.objectNode()
            .put("stream", id)
            .put("life", beganMicros)
            .put("chunk", chunk)
            .put("subject", "")
            .put("kind", kind)
            .put("startMicros", start)
            .put("endMicros", start + SECOND)
            .put("round", -1)
            .put("text", text)
            .put("tokens", 0)
            .put("clockReset", false)
            .put("changed", false)
            .put("lagMillis", 180 + Math.floorMod(chunk * 7919 + id.hashCode(), 397))
            .put("startedMillis", (again ? openedMicros - 120 * SECOND : beganMicros) / MILLI);
    event.putObject("frames").put("received", kind.equals("GAP") ? 0 : 2).put("used", 2);
    event.putArray("marks");
    event.putArray("commands");
    return event.putNull("skipped").putNull("merged").putNull("memory");
  }

  private ObjectNode gap(long chunk, long start, int length, String reason) {
    ObjectNode event = event(chunk, start, "GAP", "").put("endMicros", start + length * SECOND);
    event
        .putObject("skipped")
        .put("firstChunk", chunk)
        .put("lastChunk", chunk + length - 1)
        .put("reason", reason);
    return event;
  }

  /** As {@code Stream} of the API. */
  synchronized ObjectNode json(long nowMicros) {
    ObjectNode json = JSON.objectNode().put("id", id).put("life", beganMicros);
    String state =
        switch (trouble) {
          case SILENT -> "silent";
          case WAITING -> "waiting";
          case STOPPED -> "stopped";
          case ENDED -> "ended";
          default -> "live";
        };
    long sinceSeconds =
        switch (trouble) {
          case SILENT -> 44;
          case WAITING -> 12;
          case STOPPED -> 200;
          case ENDED -> 90;
          default -> 600;
        };
    json.put("state", state).put("since", (openedMicros - sinceSeconds * SECOND) / MILLI);
    ObjectNode text = lastText;
    if (text == null) {
      json.putNull("chunk")
          .putNull("endMicros")
          .putNull("kind")
          .putNull("text")
          .putNull("lagMillis");
    } else {
      json.setAll(text.deepCopy().retain("chunk", "endMicros", "kind", "text", "lagMillis"));
    }
    ObjectNode comment = lastComment;
    json.set(
        "lastComment",
        comment == null ? null : comment.deepCopy().retain("chunk", "endMicros", "text"));
    if (lastFrame == null) {
      json.putNull("frame");
    } else {
      json.putObject("frame")
          .put("sequence", lastFrameChunk)
          .put("captureMicros", beganMicros + lastFrameChunk * SECOND)
          .put("width", 112)
          .put("height", 112);
    }
    json.put("restarts", 1).put("restartedMillis", (openedMicros - 120 * SECOND) / MILLI);
    return json.put("committedChunk", (nowMicros - beganMicros) / SECOND - 4);
  }

  synchronized List<ObjectNode> textsFrom(int second) {
    List<ObjectNode> texts = new ArrayList<>();
    for (Second each : seconds.subList(Math.min(second, seconds.size()), seconds.size())) {
      if (each.text() != null) {
        texts.add(each.text());
      }
    }
    return texts;
  }

  synchronized int size() {
    return seconds.size();
  }

  long beganMicros() {
    return beganMicros;
  }

  ObjectNode memoryJson() {
    return memory.json(textsFrom(0));
  }

  /** The frame nearest before a moment, as {@code [112][112][3]}; null when there is none. */
  synchronized byte @Nullable [] pixels(long micros) {
    int second = (int) Math.min(seconds.size() - 1, (micros - beganMicros) / SECOND);
    while (second >= 0 && seconds.get(second).frame() == null) {
      second--;
    }
    FrameState frame = second < 0 ? null : seconds.get(second).frame();
    return frame == null ? null : world.expose(frame);
  }
}
