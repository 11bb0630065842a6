// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.captions.CaptionClock;
import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.captions.CaptionTimeline;
import io.everwatch.job.captions.CaptionWriter;
import io.everwatch.schemas.avro.FrameEncoding;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;

/** The answers of the wall to what pages ask (docs/wall.md), as JSON and pictures. Thread-safe. */
public final class WallApi implements AutoCloseable {
  public static final int MAX_TEXTS = 1_000;
  public static final int MAX_RESULTS = 200;

  /** Each looks at all that is kept. */
  private static final int SEARCHES = 2;

  private final LiveWall live;
  private final Wall wall;
  private final Pictures pictures;
  private final FrameArchive archive;
  private final Semaphore searches = new Semaphore(SEARCHES);

  /** Asks that wall. */
  public WallApi(LiveWall live) {
    this.live = live;
    wall = live.wall();
    WallOptions options = live.options();
    long bytes = wall.limits().pictureBytes();
    pictures = new Pictures(bytes / 2);
    Map<String, Object> client = new HashMap<>(options.client());
    client.put("bootstrap.servers", options.brokers());
    archive = new FrameArchive(client, bytes / 2);
  }

  /** Thrown when there is too much to do at once; better asked again in a moment. */
  public static final class BusyException extends Exception {
    private static final long serialVersionUID = 1;

    BusyException(Throwable cause) {
      super(cause);
    }

    BusyException() {}
  }

  /** A picture, its type {@code image/jpeg} or {@code image/png}. */
  public record Image(String type, byte[] bytes) {}

  /** {@code GET /api/wall}. */
  public String wall(boolean clips) {
    WallOptions options = live.options();
    ObjectNode node = WallJson.NODES.objectNode();
    node.put("version", options.version()).put("instance", live.feed().instance());
    node.put("serverMillis", wall.nowMillis()).put("demo", options.demo());
    node.putObject("topics")
        .put("frames", options.topics().frames())
        .put("text", options.topics().text())
        .put("deadLetters", options.topics().deadLetters());
    node.put("historySeconds", wall.limits().history().toSeconds());
    node.put("chunkMicros", wall.chunkMicros());
    node.put("clips", clips).put("flink", options.flink().isPresent());
    return node.put("framesReadable", options.frames()).toString();
  }

  /** {@code GET /api/streams}. */
  public String streams() {
    ObjectNode node = WallJson.NODES.objectNode();
    ArrayNode all = node.putArray("streams");
    wall.streams().forEach(view -> all.add(WallJson.stream(view)));
    return node.toString();
  }

  /** {@code GET /api/streams/{id}}; empty when it is not known. */
  public Optional<String> stream(String id) {
    return wall.view(id).map(view -> WallJson.stream(view).toString());
  }

  /** {@code GET /api/job}. */
  public String job() {
    return live.jobJson();
  }

  /** {@code GET /api/streams/{id}/texts}; empty when the stream is not known. */
  public Optional<String> texts(String id, OptionalLong before, OptionalLong after, int limit) {
    if (wall.view(id).isEmpty()) {
      return Optional.empty();
    }
    List<Said> events = wall.events(id);
    boolean oldestFirst = after.isPresent() && before.isEmpty();
    List<Said> found = new ArrayList<>();
    boolean complete = true;
    for (int i = 0; i < events.size(); i++) {
      Said said = events.get(oldestFirst ? i : events.size() - 1 - i);
      if (said.event().getStartMicros() >= before.orElse(Long.MAX_VALUE)
          || said.event().getEndMicros() <= after.orElse(Long.MIN_VALUE)) {
        continue;
      }
      if (found.size() == limit) {
        complete = false;
        break;
      }
      found.add(said);
    }
    if (!oldestFirst) {
      Collections.reverse(found);
    }
    ObjectNode node = WallJson.texts(found);
    if (events.isEmpty()) {
      node.putNull("oldestMicros");
    } else {
      node.put("oldestMicros", events.get(0).event().getStartMicros());
    }
    return Optional.of(node.put("complete", complete).toString());
  }

  /**
   * {@code GET /api/search}.
   *
   * @throws BusyException when others are searching
   */
  public String search(String query, Optional<String> stream, OptionalLong before, int limit)
      throws BusyException {
    if (!searches.tryAcquire()) {
      throw new BusyException();
    }
    try {
      List<Said> events = stream.map(wall::events).orElseGet(wall::events);
      TextSearch.Found found =
          TextSearch.search(events, query, stream, before.orElse(Long.MAX_VALUE), limit);
      ObjectNode node = WallJson.NODES.objectNode();
      ArrayNode results = node.putArray("results");
      for (TextSearch.Hit hit : found.hits()) {
        ObjectNode result = WallJson.text(hit.said());
        ArrayNode ranges = result.putArray("ranges");
        hit.ranges().forEach(range -> ranges.addArray().add(range[0]).add(range[1]));
        results.add(result);
      }
      if (events.isEmpty()) {
        node.putNull("searchedFromMicros");
      } else {
        node.put("searchedFromMicros", events.get(0).event().getStartMicros());
      }
      return node.put("more", found.more()).toString();
    } finally {
      searches.release();
    }
  }

  /** {@code GET /api/streams/{id}/memory}; empty when the stream is not known. */
  public Optional<String> memory(String id) {
    return wall.view(id).map(view -> MemoryJson.of(wall.events(id)).toString());
  }

  /** A stream's text of a time as captions; empty when the stream is not known. */
  public Optional<String> captions(
      String id, CaptionFormat format, OptionalLong from, OptionalLong to) {
    if (wall.view(id).isEmpty()) {
      return Optional.empty();
    }
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    List<Said> said =
        wall.events(id).stream()
            .filter(one -> one.event().getEndMicros() > from.orElse(Long.MIN_VALUE))
            .filter(one -> one.event().getStartMicros() < to.orElse(Long.MAX_VALUE))
            .toList();
    CaptionTimeline timeline =
        from.isPresent()
            ? CaptionTimeline.since(from.getAsLong())
            : CaptionTimeline.sinceFirstEvent();
    CaptionWriter writer =
        format.writer(
            out,
            CaptionClock.since(0),
            to.isPresent() ? timeline.until(to.getAsLong()) : timeline,
            CaptionFormat.HOLD);
    said.forEach(one -> writer.write(one.event()));
    writer.finish();
    out.flush();
    return Optional.of(text.toString());
  }

  /**
   * A stream's newest picture.
   *
   * @param width at most so many pixels; 0 = as it is
   * @return empty when there is none, or what came is none
   */
  public Optional<Image> newest(String id, int width) throws BusyException, InterruptedException {
    Optional<Frame> frame = wall.picture(id);
    return frame.isEmpty() ? Optional.empty() : image(frame.get(), width);
  }

  /**
   * A stream's picture of a time, read from the topic again.
   *
   * @return empty when it is not kept any more
   */
  public Optional<Image> at(String id, long captureMicros, int width)
      throws BusyException, InterruptedException {
    Optional<Wall.Place> place = wall.place(id, captureMicros);
    if (place.isEmpty() || !live.options().frames()) {
      return Optional.empty();
    }
    try {
      Optional<Frame> frame = archive.find(place.get());
      return frame.isEmpty() ? Optional.empty() : image(frame.get(), width);
    } catch (FrameArchive.BusyException e) {
      throw new BusyException(e);
    }
  }

  private Optional<Image> image(Frame frame, int width) throws BusyException, InterruptedException {
    if (frame.encoding() == FrameEncoding.UNKNOWN) {
      return Optional.empty();
    }
    try {
      Pictures.Picture picture = pictures.of(frame, width);
      return Optional.of(new Image(picture.type(), picture.bytes()));
    } catch (FrameArchive.BusyException e) {
      throw new BusyException(e);
    } catch (IOException e) {
      return Optional.empty(); // the job dead-letters it and says why
    }
  }

  @Override
  public void close() {
    archive.close();
  }
}
