// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Server-sent events (WHATWG HTML, 9.2) for all pages: numbered, the newest kept for pages that
 * come back, told to each page through a {@link Listener} that must not block. Thread-safe.
 */
public final class LiveFeed {
  private static final int KEPT = 512;
  private static final long KEPT_BYTES = 8L << 20;
  private static final byte[] BREATH = ":\n\n".getBytes(StandardCharsets.UTF_8);

  private final int limit;
  private final Set<Listener> listeners = new LinkedHashSet<>();
  private final Deque<Event> kept = new ArrayDeque<>();
  private long keptBytes;
  private long last;
  private String instance = random();

  private record Event(long id, byte[] bytes) {}

  /** A page. */
  public interface Listener {
    /** Takes bytes to send, in order; must return at once. */
    void send(byte[] bytes);
  }

  /**
   * A feed without pages.
   *
   * @param limit pages at the same time
   */
  public LiveFeed(int limit) {
    this.limit = limit;
  }

  /** Names this feed's numbers; another one tells pages to ask for everything again. */
  public synchronized String instance() {
    return instance;
  }

  public synchronized int listeners() {
    return listeners.size();
  }

  /**
   * Adds a page; it gets what it missed, or everything.
   *
   * @param lastEventId what it had last, as in its header {@code Last-Event-ID}
   * @param everything events (name, JSON) that tell all there is now
   * @return false: there are too many
   */
  public synchronized boolean join(
      Listener listener, Optional<String> lastEventId, Supplier<List<Named>> everything) {
    if (listeners.size() >= limit) {
      return false;
    }
    Optional<List<Event>> missed = lastEventId.flatMap(this::since);
    if (missed.isPresent()) {
      listener.send(BREATH);
      missed.get().forEach(event -> listener.send(event.bytes()));
    } else {
      everything.get().forEach(event -> listener.send(bytes(last, event)));
    }
    listeners.add(listener);
    return true;
  }

  public synchronized void leave(Listener listener) {
    listeners.remove(listener);
  }

  /** Tells all pages. */
  synchronized void publish(Named named) {
    Event event = new Event(++last, bytes(last, named));
    kept.add(event);
    keptBytes += event.bytes().length;
    while (kept.size() > KEPT || keptBytes > KEPT_BYTES) {
      keptBytes -= kept.remove().bytes().length;
    }
    new ArrayList<>(listeners).forEach(listener -> listener.send(event.bytes()));
  }

  /** Tells all pages everything, under another instance: what they have no longer counts. */
  synchronized void beginAgain(Supplier<List<Named>> everything) {
    instance = random();
    kept.clear();
    keptBytes = 0;
    everything.get().forEach(this::publish);
    kept.clear(); // who comes back gets the newest, not these
    keptBytes = 0;
  }

  /** Lets proxies and pages see that the connection lives. */
  synchronized void breathe() {
    new ArrayList<>(listeners).forEach(listener -> listener.send(BREATH));
  }

  private Optional<List<Event>> since(String id) {
    int dash = id.lastIndexOf('-');
    if (dash < 0 || !id.substring(0, dash).equals(instance)) {
      return Optional.empty();
    }
    long had;
    try {
      had = Long.parseLong(id, dash + 1, id.length(), 10);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
    long oldest = kept.isEmpty() ? last + 1 : kept.getFirst().id();
    return had > last || had < oldest - 1
        ? Optional.empty()
        : Optional.of(kept.stream().filter(event -> event.id() > had).toList());
  }

  private byte[] bytes(long id, Named named) {
    // JSON on one line: a line break in a text is escaped there.
    return "id: %s-%d\nevent: %s\ndata: %s\n\n"
        .formatted(instance, id, named.name(), named.json())
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String random() {
    byte[] bytes = new byte[8];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** One event. */
  public record Named(String name, String json) {}
}
