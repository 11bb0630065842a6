// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.ReceivedText;
import io.everwatch.schemas.avro.DeadLetter;
import io.everwatch.schemas.avro.FrameEvent;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * What is known from the topics, within bounds: the streams, what was said of them, their newest
 * pictures. An event counts by its identity (architecture §8): one that comes again changes
 * nothing.
 *
 * <p>Thread-safe. Everything given out stays as it was.
 */
public final class Wall {
  /** More at once is history being read, or a page that slept: better asked for than told. */
  static final int TOLD_AT_ONCE = 2_000;

  private final WallLimits limits;
  private final LongSupplier clockMillis;
  private final JobFigures figures;
  private final Map<String, KnownStream> streams = new LinkedHashMap<>();

  /** Streams by the event that came from them, oldest first: the order in which to forget. */
  private final Deque<Kept> order = new ArrayDeque<>();

  /** Streams with a picture, that which got its picture longest ago first. */
  private final Map<String, Frame> pictures = new LinkedHashMap<>();

  private final Set<String> changed = new LinkedHashSet<>();
  private final Set<String> pictured = new LinkedHashSet<>();
  private final Set<String> gone = new LinkedHashSet<>();
  private final Map<String, Changes.Committed> committed = new HashMap<>();
  private List<Said> told = new ArrayList<>();
  private boolean afresh;

  /** A new picture alone is told every other time: pages fetch but those that are seen. */
  private boolean picturesTurn;

  private boolean loading = true;
  private long chunkMicros = 1_000_000;
  private long eventBytes;
  private long pictureBytes;
  private long streamsLeftOut;

  private record Kept(KnownStream stream, Said said) {}

  /**
   * Knows nothing yet.
   *
   * @param clockMillis milliseconds since the epoch
   */
  public Wall(WallLimits limits, LongSupplier clockMillis) {
    this.limits = limits;
    this.clockMillis = clockMillis;
    figures = new JobFigures(clockMillis);
  }

  public WallLimits limits() {
    return limits;
  }

  JobFigures figures() {
    return figures;
  }

  long nowMillis() {
    return clockMillis.getAsLong();
  }

  /** An event of the live reading. */
  public synchronized void said(ReceivedText received) {
    long seen = loading ? Math.min(nowMillis(), received.writtenMillis()) : nowMillis();
    if (received.writtenMillis() < nowMillis() - limits.history().toMillis()) {
      return;
    }
    Said said = Said.of(received, seen);
    Optional<KnownStream> known = stream(said.stream());
    if (known.isEmpty()) {
      return;
    }
    KnownStream stream = known.get();
    Optional<Said> before = stream.kept(said.identity());
    if (before.isPresent()) {
      if (before.get().digest() == said.digest()) {
        return;
      }
      said = said.withChange();
      replace(before.get(), said);
    } else {
      order.add(new Kept(stream, said));
    }
    stream.add(said);
    if (said.event().getRound() >= 0 && said.event().getMerged() == null) {
      chunkMicros = said.event().getEndMicros() - said.event().getStartMicros();
    }
    eventBytes += said.bytes();
    long restarted = stream.restartSeenIn(said);
    if (restarted != EventHeaders.ABSENT) {
      figures.restarted(restarted);
    }
    figures.said(said.seenMillis(), said.lagMillis());
    changed.add(stream.id);
    tell(said);
    forget();
  }

  /** Should never be: the same identity with other bytes. */
  private void replace(Said before, Said now) {
    eventBytes -= before.bytes();
    List<Kept> all = new ArrayList<>(order);
    order.clear();
    all.forEach(kept -> order.add(kept.said().sameAs(now) ? new Kept(kept.stream(), now) : kept));
  }

  private void tell(Said said) {
    if (loading) {
      return;
    }
    told.add(said);
    if (told.size() > TOLD_AT_ONCE) {
      told = new ArrayList<>();
      afresh = true;
    }
  }

  /** The past is read; from now on each event is told to the pages. */
  public synchronized void loaded() {
    if (loading) {
      loading = false;
      afresh = true;
    }
  }

  /** An event of the committed reading. */
  public synchronized void committed(ReceivedText received) {
    TextEvent event = received.event();
    Optional<KnownStream> known = stream(event.getStreamId());
    if (known.isEmpty()) {
      return;
    }
    KnownStream stream = known.get();
    long arrival = received.headers().arrivalMillis();
    if (!loading && arrival != EventHeaders.ABSENT) {
      figures.committed(Math.max(0, nowMillis() - arrival));
    }
    if (stream.commit(event)) {
      committed.put(
          stream.id, new Changes.Committed(stream.committedLife(), stream.committedChunk()));
    }
  }

  /** A record of the frames topic, just read. */
  public synchronized void frame(FrameEvent event) {
    if (event.getEndOfStream()) {
      return; // the job says so, too, when it has understood the rest
    }
    byte[] bytes = bytes(event);
    figures.frame(bytes.length);
    stream(event.getStreamId()).ifPresent(stream -> show(stream, event, bytes));
  }

  static byte[] bytes(FrameEvent event) {
    byte[] bytes = new byte[event.getBytes().remaining()];
    event.getBytes().duplicate().get(bytes);
    return bytes;
  }

  static Frame frame(FrameEvent event, byte[] bytes, long arrivalMillis) {
    PictureSize size = PictureSize.of(event, bytes);
    return new Frame(
        event.getStreamId(),
        event.getSequence(),
        event.getCaptureMicros(),
        arrivalMillis,
        event.getEncoding(),
        size.width(),
        size.height(),
        bytes);
  }

  private void show(KnownStream stream, FrameEvent event, byte[] bytes) {
    Frame frame = frame(event, bytes, nowMillis());
    stream.show(frame.withoutPicture());
    pictured.add(stream.id);
    Frame before = pictures.remove(stream.id);
    pictureBytes += bytes.length - (before == null ? 0 : before.bytes().length);
    pictures.put(stream.id, frame);
    Iterator<Frame> oldest = pictures.values().iterator();
    while (pictureBytes > limits.frameBytes()) {
      pictureBytes -= oldest.next().bytes().length;
      oldest.remove();
    }
  }

  /** A record that could not be used. */
  public void deadLetter(DeadLetter letter, long millis) {
    figures.deadLetter(letter, millis);
  }

  private Optional<KnownStream> stream(String id) {
    KnownStream known = streams.get(id);
    if (known == null) {
      if (streams.size() >= limits.streams()) {
        streamsLeftOut++;
        return Optional.empty();
      }
      known = new KnownStream(id, nowMillis());
      streams.put(id, known);
      changed.add(id);
      gone.remove(id);
    }
    return Optional.of(known);
  }

  private void forget() {
    long oldestMillis = nowMillis() - limits.history().toMillis();
    for (Kept first = order.peek();
        first != null
            && (order.size() > limits.events()
                || eventBytes > limits.eventBytes()
                || first.said().seenMillis() < oldestMillis);
        first = order.peek()) {
      order.remove();
      eventBytes -= first.said().bytes();
      first.stream().forgetOldest();
    }
  }

  /** What changed since this was called before; looks at the clock for states, too. */
  synchronized Changes takeChanges() {
    forget();
    picturesTurn = !picturesTurn;
    if (picturesTurn) {
      changed.addAll(pictured);
      pictured.clear();
    }
    long now = nowMillis();
    for (Iterator<KnownStream> all = streams.values().iterator(); all.hasNext(); ) {
      KnownStream stream = all.next();
      if (stream.refresh(now)) {
        changed.add(stream.id);
      }
      if (stream.forgettable(now, limits.history().toMillis())) {
        all.remove();
        gone.add(stream.id);
        Frame picture = pictures.remove(stream.id);
        pictureBytes -= picture == null ? 0 : picture.bytes().length;
      }
    }
    List<StreamView> views = new ArrayList<>();
    for (String id : changed) {
      KnownStream stream = streams.get(id);
      if (stream != null) {
        views.add(stream.view());
      }
    }
    Changes changes =
        new Changes(afresh, views, List.copyOf(gone), List.copyOf(told), Map.copyOf(committed));
    changed.clear();
    gone.clear();
    committed.clear();
    told = new ArrayList<>();
    afresh = false;
    return changes;
  }

  /** Length of a chunk, by the newest event that has one. */
  synchronized long chunkMicros() {
    return chunkMicros;
  }

  synchronized List<StreamView> streams() {
    return streams.values().stream().map(KnownStream::view).toList();
  }

  synchronized Optional<StreamView> view(String id) {
    return Optional.ofNullable(streams.get(id)).map(KnownStream::view);
  }

  /** Streams that found no place, each of their records counted. */
  synchronized long streamsLeftOut() {
    return streamsLeftOut;
  }

  /** A stream's newest picture, if it is kept. */
  public synchronized Optional<Frame> picture(String stream) {
    return Optional.ofNullable(pictures.get(stream));
  }

  /** What is kept of a stream, oldest first. */
  synchronized List<Said> events(String stream) {
    KnownStream known = streams.get(stream);
    return known == null ? List.of() : List.copyOf(known.events());
  }

  /** What is kept of all streams, oldest first. */
  synchronized List<Said> events() {
    List<Said> all = new ArrayList<>(order.size());
    order.forEach(kept -> all.add(kept.said()));
    return all;
  }

  /** Where the frames of a stream around a moment lie; empty when no event is kept that says it. */
  public synchronized Optional<Place> place(String stream, long captureMicros) {
    KnownStream known = streams.get(stream);
    if (known == null) {
      return Optional.empty();
    }
    Said best = null;
    for (Said said : known.events()) {
      boolean ofFrames =
          said.event().getSubject().isEmpty() && !said.event().getSources().isEmpty();
      if (ofFrames
          && said.event().getStartMicros() <= captureMicros
          && (best == null || said.event().getStartMicros() >= best.event().getStartMicros())) {
        best = said;
      }
    }
    return Optional.ofNullable(best)
        .map(said -> new Place(stream, said.event().getSources(), captureMicros));
  }

  /**
   * Where to look for a frame.
   *
   * @param sources records of the chunk, those of other streams between them
   */
  public record Place(String stream, List<SourceRange> sources, long captureMicros) {}
}
