// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.FrameCounts;
import io.everwatch.schemas.avro.MergedRange;
import io.everwatch.schemas.avro.SkippedRange;
import io.everwatch.schemas.avro.TextEvent;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Streams and texts as the pages get them (docs/wall.md). */
final class WallJson {
  static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private WallJson() {}

  static ObjectNode stream(StreamView view) {
    ObjectNode node = NODES.objectNode();
    node.put("id", view.id()).put("life", view.life()).put("state", view.state().json());
    node.put("since", view.since());
    Said newest = view.newest();
    node.put("chunk", newest == null ? -1 : newest.event().getChunk());
    node.put("endMicros", newest == null ? 0 : newest.event().getEndMicros());
    node.put("kind", newest == null ? null : newest.event().getKind().name());
    node.put("text", newest == null ? "" : newest.event().getText());
    node.set("lastComment", comment(view.comment()));
    millis(node, "lagMillis", view.lagMillis());
    node.set("frame", frame(view.frame()));
    node.put("restarts", view.restarts());
    millis(node, "restartedMillis", view.restartedMillis());
    if (view.committedChunk() < 0) {
      node.putNull("committedChunk");
    } else {
      node.put("committedChunk", view.committedChunk());
    }
    return node;
  }

  private static @Nullable ObjectNode comment(@Nullable Said said) {
    return said == null
        ? null
        : NODES
            .objectNode()
            .put("chunk", said.event().getChunk())
            .put("endMicros", said.event().getEndMicros())
            .put("text", said.event().getText());
  }

  private static @Nullable ObjectNode frame(@Nullable Frame frame) {
    return frame == null
        ? null
        : NODES
            .objectNode()
            .put("sequence", frame.sequence())
            .put("captureMicros", frame.captureMicros())
            .put("width", frame.width())
            .put("height", frame.height());
  }

  static ObjectNode text(Said said) {
    TextEvent event = said.event();
    ObjectNode node = NODES.objectNode();
    node.put("stream", event.getStreamId()).put("life", event.getBeganMicros());
    node.put("chunk", event.getChunk()).put("subject", event.getSubject());
    node.put("kind", event.getKind().name());
    node.put("startMicros", event.getStartMicros()).put("endMicros", event.getEndMicros());
    node.put("round", event.getRound()).put("text", event.getText());
    node.put("tokens", event.getTokenCount());
    FrameCounts frames = event.getFrames();
    node.putObject("frames")
        .put("received", frames.getReceived())
        .put("used", frames.getUsed())
        .put("surplus", frames.getSurplus())
        .put("duplicate", frames.getDuplicate())
        .put("missing", frames.getMissing());
    SkippedRange skipped = event.getSkipped();
    node.set(
        "skipped",
        skipped == null
            ? null
            : range(skipped.getFirstChunk(), skipped.getLastChunk())
                .put("reason", skipped.getReason()));
    MergedRange merged = event.getMerged();
    node.set(
        "merged", merged == null ? null : range(merged.getFirstChunk(), merged.getLastChunk()));
    node.put("clockReset", event.getClockReset());
    ArrayNode marks = node.putArray("marks");
    event.getMarks().forEach(mark -> marks.add(mark.name()));
    event.getAppliedCommands().forEach(node.putArray("commands")::add);
    node.put("numerics", event.getNumericsDigest());
    millis(node, "lagMillis", said.lagMillis());
    millis(node, "startedMillis", said.startedMillis());
    node.set("memory", MemoryJson.figures(event.getMemory()));
    node.put("changed", said.changed());
    return node;
  }

  private static ObjectNode range(long first, long last) {
    return NODES.objectNode().put("firstChunk", first).put("lastChunk", last);
  }

  static String streams(boolean full, Collection<StreamView> views, Collection<String> gone) {
    ObjectNode node = NODES.objectNode().put("full", full);
    ArrayNode all = node.putArray("streams");
    views.forEach(view -> all.add(stream(view)));
    gone.forEach(node.putArray("gone")::add);
    return node.toString();
  }

  static ObjectNode texts(Collection<Said> texts) {
    ObjectNode node = NODES.objectNode();
    ArrayNode all = node.putArray("texts");
    texts.forEach(said -> all.add(text(said)));
    return node;
  }

  static String committed(Map<String, Changes.Committed> streams) {
    ObjectNode node = NODES.objectNode();
    ObjectNode all = node.putObject("streams");
    streams.forEach(
        (id, committed) ->
            all.putObject(id).put("life", committed.life()).put("chunk", committed.chunk()));
    return node.toString();
  }

  /** A time or a span that may be absent. */
  static void millis(ObjectNode node, String name, long millis) {
    if (millis == EventHeaders.ABSENT) {
      node.putNull(name);
    } else {
      node.put(name, millis);
    }
  }
}
