// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import io.everwatch.job.wall.browser.FakeWall.Answer;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/** The wall's API over simulated streams, which are ten minutes old when it begins. */
final class FakeApi {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final long SECOND = FakeStream.SECOND;
  private static final long OPENED =
      Instant.parse("2026-03-01T12:00:00Z").getEpochSecond() * SECOND;
  private static final long AGE = 600 * SECOND;
  private static final int SEED = 7;
  private static final int SIZE = 112;

  private final String instance = UUID.randomUUID().toString();
  private final Map<String, FakeStream> streams = new LinkedHashMap<>();
  private final long started = System.nanoTime();

  /** Whether the wall's readers reach their broker. */
  volatile boolean broker = true;

  private final AtomicLong skippedMicros = new AtomicLong();

  FakeApi(int count, boolean troubled) {
    for (int i = 0; i < count; i++) {
      Trouble trouble = troubled ? Trouble.of(i) : Trouble.NONE;
      long phase = i * SECOND / count;
      FakeStream stream = new FakeStream(i, SEED, trouble, OPENED - AGE - phase, OPENED);
      streams.put(stream.id, stream);
    }
  }

  private long now() {
    return OPENED
        + skippedMicros.get()
        + TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - started);
  }

  /** Lets so much time pass at once. */
  void skip(Duration time) {
    skippedMicros.addAndGet(TimeUnit.NANOSECONDS.toMicros(time.toNanos()));
  }

  private FakeStream advanced(FakeStream stream) {
    stream.advance(now());
    return stream;
  }

  Answer answer(URI uri) throws IOException {
    Map<String, String> query = query(uri);
    String[] parts = uri.getRawPath().split("/");
    return switch (parts[2]) {
      case "wall" -> Answer.json(200, wall());
      case "job" -> Answer.json(200, FakeJob.json(all(), broker, now()));
      case "clips" -> Answer.json(200, clips());
      case "search" -> Answer.json(200, search(query));
      case "streams" ->
          parts.length == 3
              ? Answer.json(200, JSON.objectNode().set("streams", all()))
              : ofStream(URLDecoder.decode(parts[3], StandardCharsets.UTF_8), parts, query);
      default -> Answer.error(404, "no such address", "");
    };
  }

  private Answer ofStream(String id, String[] parts, Map<String, String> query) throws IOException {
    FakeStream stream = streams.get(id);
    if (stream == null) {
      return Answer.error(
          404,
          "There is no stream " + id + ".",
          "Names count upper and lower case; the wall has all.");
    }
    advanced(stream);
    return switch (parts.length == 4 ? "" : parts[4]) {
      case "" -> Answer.json(200, stream.json(now()));
      case "frame" -> frame(stream, now());
      case "frames" -> keptFrame(stream, Long.parseLong(parts[5]));
      case "texts" -> Answer.json(200, texts(stream, query));
      case "memory" -> Answer.json(200, stream.memoryJson());
      default -> new Answer(200, "text/vtt", "WEBVTT\n".getBytes(StandardCharsets.UTF_8));
    };
  }

  private static Answer keptFrame(FakeStream stream, long micros) throws IOException {
    return micros < OPENED - 400 * SECOND
        ? Answer.error(404, "The frame is not kept any more.", "Its text is.")
        : frame(stream, micros);
  }

  private static Answer frame(FakeStream stream, long micros) throws IOException {
    byte[] pixels = stream.pixels(micros);
    if (pixels == null) {
      return Answer.error(404, "No frame.", "");
    }
    BufferedImage image = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < SIZE * SIZE; i++) {
      int rgb =
          ((pixels[3 * i] & 255) << 16)
              | ((pixels[3 * i + 1] & 255) << 8)
              | (pixels[3 * i + 2] & 255);
      image.setRGB(i % SIZE, i / SIZE, rgb);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return new Answer(200, "image/png", out.toByteArray());
  }

  private static ObjectNode texts(FakeStream stream, Map<String, String> query) {
    long before = Long.parseLong(query.getOrDefault("before", "" + Long.MAX_VALUE));
    long after = Long.parseLong(query.getOrDefault("after", "0"));
    int limit = Integer.parseInt(query.getOrDefault("limit", "1000"));
    List<ObjectNode> found = stream.textsFrom(0);
    found.removeIf(
        text ->
            text.path("startMicros").asLong() >= before
                || text.path("endMicros").asLong() <= after);
    ObjectNode json = JSON.objectNode();
    json.putArray("texts").addAll(found.subList(Math.max(0, found.size() - limit), found.size()));
    return json.put("oldestMicros", stream.beganMicros()).put("complete", found.size() <= limit);
  }

  private ObjectNode search(Map<String, String> query) {
    String[] words = query.getOrDefault("q", "").toLowerCase(Locale.ROOT).strip().split("\\s+");
    List<ObjectNode> results = new ArrayList<>();
    for (FakeStream stream : streams.values()) {
      if (stream.id.equals(query.getOrDefault("stream", stream.id))) {
        for (ObjectNode text : stream.textsFrom(0)) {
          ArrayNode ranges = ranges(text.path("text").asText().toLowerCase(Locale.ROOT), words);
          if (ranges != null) {
            results.add(0, text.deepCopy().set("ranges", ranges));
          }
        }
      }
    }
    int limit = Integer.parseInt(query.getOrDefault("limit", "50"));
    ObjectNode json = JSON.objectNode();
    json.putArray("results").addAll(results.subList(0, Math.min(limit, results.size())));
    return json.put("searchedFromMicros", OPENED - AGE).put("more", results.size() > limit);
  }

  /** Where the words stand; null when one is missing. */
  private static @Nullable ArrayNode ranges(String text, String[] words) {
    ArrayNode ranges = JSON.arrayNode();
    for (String word : words) {
      int at = text.indexOf(word);
      if (at < 0) {
        return null;
      }
      ranges.addArray().add(at).add(at + word.length());
    }
    return ranges;
  }

  private ObjectNode wall() {
    ObjectNode json =
        JSON.objectNode()
            .put("version", "0.1.0-test")
            .put("instance", instance)
            .put("serverMillis", now() / 1000)
            .put("demo", false)
            .put("historySeconds", 3600)
            .put("chunkMicros", SECOND)
            .put("clips", true)
            .put("flink", true)
            .put("framesReadable", true);
    json.putObject("topics")
        .put("frames", "frames")
        .put("text", "text")
        .put("deadLetters", "frames.dlq");
    return json;
  }

  private static ObjectNode clips() {
    ObjectNode json = JSON.objectNode();
    ArrayNode clips = json.putArray("clips");
    clips
        .addObject()
        .put("name", "gate-morning.mp4")
        .put("bytes", 4_812_004)
        .put("captions", true)
        .put("type", "video/mp4");
    clips
        .addObject()
        .put("name", "yard.mp4")
        .put("bytes", 921_000)
        .put("captions", false)
        .put("type", "video/mp4");
    return json;
  }

  Answer clip(String path) {
    String captions =
        """
        WEBVTT

        00:00.000 --> 00:02.000
        A white car enters from the left.

        00:05.000 --> 00:07.000
        The light turns red.
        """;
    return path.endsWith(".vtt")
        ? new Answer(200, "text/vtt", captions.getBytes(StandardCharsets.UTF_8))
        : new Answer(404, "video/mp4", new byte[0]);
  }

  private ArrayNode all() {
    ArrayNode all = JSON.arrayNode();
    streams.values().forEach(stream -> all.add(advanced(stream).json(now())));
    return all;
  }

  /** Server-sent events until the client goes away. */
  void live(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    Map<String, Integer> sent = new HashMap<>();
    send(
        out,
        "hello",
        JSON.objectNode()
            .put("instance", instance)
            .put("version", "0.1.0-test")
            .put("serverMillis", now() / 1000));
    ObjectNode full = JSON.objectNode().put("full", true);
    full.set("streams", all());
    full.putArray("gone");
    send(out, "streams", full);
    streams.values().forEach(stream -> sent.put(stream.id, stream.size()));
    for (int tick = 0; !Thread.currentThread().isInterrupted(); tick++) {
      if (tick % 8 == 0) {
        send(out, "job", FakeJob.json(all(), broker, now()));
      }
      news(out, sent);
      try {
        TimeUnit.MILLISECONDS.sleep(250);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void news(OutputStream out, Map<String, Integer> sent) throws IOException {
    ArrayNode texts = JSON.arrayNode();
    ArrayNode changed = JSON.arrayNode();
    for (FakeStream stream : streams.values()) {
      int before = sent.getOrDefault(stream.id, 0);
      if (advanced(stream).size() > before) {
        stream.textsFrom(before).forEach(texts::add);
        changed.add(stream.json(now()));
        sent.put(stream.id, stream.size());
      }
    }
    if (!changed.isEmpty()) {
      ObjectNode streamsNews = JSON.objectNode().put("full", false);
      streamsNews.set("streams", changed);
      streamsNews.putArray("gone");
      send(out, "streams", streamsNews);
      send(out, "texts", JSON.objectNode().set("texts", texts));
    }
  }

  private static void send(OutputStream out, String event, JsonNode data) throws IOException {
    out.write(
        ("event: " + event + "\nid: 1\ndata: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private static Map<String, String> query(URI uri) {
    Map<String, String> query = new HashMap<>();
    String raw = uri.getRawQuery();
    for (String pair : raw == null ? new String[0] : raw.split("&")) {
      String[] both = pair.split("=", 2);
      query.put(both[0], URLDecoder.decode(both[1], StandardCharsets.UTF_8));
    }
    return query;
  }
}
