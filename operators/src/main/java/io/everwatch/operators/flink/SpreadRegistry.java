// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * Gives streams a {@code spread} by their place in a list, for an even load at any parallelism
 * (architecture §3.2). Consecutive places go to key groups in the order of bit reversal (0, 64, 32,
 * 96, 16 …), so that the first n of them lie evenly over any contiguous ranges. A place's spread
 * hangs on the place alone: what stands beside it in the list never changes it. Travels with the
 * job.
 */
public final class SpreadRegistry implements Serializable {
  private static final long serialVersionUID = 1;

  /** Flink's max parallelism; fixed for the life of the state. A power of two. */
  public static final int KEY_GROUPS = 128;

  /** Places that a stream may have are less than this. */
  public static final int MAX_PLACES = 1 << 16;

  /** Knows no stream: the spread of each is the hash of its ID. */
  public static final SpreadRegistry NONE = new SpreadRegistry(Map.of());

  /** Contradictions that one message names. */
  private static final int SHOWN = 10;

  /** By key group: the smallest number that Flink's own hash sends there. */
  private static final int[] SPREADS = spreads();

  private final TreeMap<String, Integer> places;

  /**
   * A registry of these streams.
   *
   * @param places by stream ID, 0 to {@link #MAX_PLACES} - 1
   */
  public SpreadRegistry(Map<String, Integer> places) {
    this.places = new TreeMap<>(places);
    places.forEach(
        (id, place) -> {
          if (place < 0 || place >= MAX_PLACES) {
            throw new IllegalArgumentException(
                "stream %s has place %d; expected 0 to %d".formatted(id, place, MAX_PLACES - 1));
          }
        });
  }

  /** Number of streams that it knows. */
  public int size() {
    return places.size();
  }

  /** The key of a stream's state. */
  public StreamKey key(String streamId) {
    Integer place = places.get(streamId);
    return place == null ? StreamKey.of(streamId) : new StreamKey(spread(place), streamId);
  }

  /** The subtask that a stream is worked on by. */
  public int subtask(String streamId, int parallelism) {
    return KeyGroupRangeAssignment.assignKeyToParallelOperator(
        key(streamId), KEY_GROUPS, parallelism);
  }

  static int spread(int place) {
    return SPREADS[group(place)];
  }

  private static int group(int place) {
    int bits = Integer.numberOfTrailingZeros(KEY_GROUPS);
    return Integer.reverse(place % KEY_GROUPS) >>> (Integer.SIZE - bits);
  }

  private static int[] spreads() {
    int[] spreads = new int[KEY_GROUPS];
    Arrays.fill(spreads, -1);
    for (int number = 0, open = KEY_GROUPS; open > 0; number++) {
      int group = KeyGroupRangeAssignment.assignToKeyGroup(number, KEY_GROUPS);
      if (spreads[group] < 0) {
        spreads[group] = number;
        open--;
      }
    }
    return spreads;
  }

  /**
   * Looks for streams whose state lies under another spread than they would get now: each would
   * silently begin again, as a second stream of the same name.
   *
   * @param stored keys of the streams with state
   * @return what to tell the one who starts the job; empty when all agree
   */
  Optional<String> contradictions(Collection<StreamKey> stored) {
    List<StreamKey> wrong =
        stored.stream()
            .filter(key -> key.spread() != key(key.streamId()).spread())
            .sorted(Comparator.comparing(StreamKey::streamId))
            .toList();
    if (wrong.isEmpty()) {
      return Optional.empty();
    }
    StringBuilder message =
        new StringBuilder(
            "the spread registry contradicts the state of %d stream(s); a stream keeps the spread that it began with:"
                .formatted(wrong.size()));
    wrong.stream().limit(SHOWN).forEach(key -> message.append("\n  ").append(describe(key)));
    if (wrong.size() > SHOWN) {
      message.append("\n  and %d more".formatted(wrong.size() - SHOWN));
    }
    return Optional.of(message.toString());
  }

  private String describe(StreamKey stored) {
    String id = stored.streamId();
    Integer place = places.get(id);
    String now =
        place == null
            ? "no line of the registry, which gives %d, the hash of its ID"
                .formatted(key(id).spread())
            : "place %d, which gives %d".formatted(place, key(id).spread());
    return "stream %s has state under spread %d and %s; %s, or end the stream before (end-of-stream record)"
        .formatted(id, stored.spread(), now, remedy(stored));
  }

  private String remedy(StreamKey stored) {
    if (stored.spread() == stored.streamId().hashCode()) {
      return "remove its line";
    }
    return IntStream.range(0, KEY_GROUPS)
        .filter(place -> spread(place) == stored.spread())
        .mapToObj(
            place ->
                "give it back its line, with place %d or any that is greater by a multiple of %d"
                    .formatted(place, KEY_GROUPS))
        .findFirst()
        .orElse("start the release that wrote this state");
  }
}
