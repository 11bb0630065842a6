// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.FrameRateChange;
import io.everwatch.operators.model.SamplingChanges;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The settings of a START or SET, checked: what a command may change of a stream that goes on.
 * Pure.
 *
 * @param sampling how tokens are chosen, by proper key
 * @param fps sampled frames per second, as written
 * @param framesPerChunk grid points that this gives the stream's chunks
 */
record OrderedSettings(
    Map<String, String> sampling,
    Optional<String> fps,
    Optional<Integer> framesPerChunk,
    Optional<OverloadMode> overload) {
  private static final String OVERLOAD = "overload";

  /** All keys, as in messages. */
  static List<String> keys() {
    List<String> keys = new ArrayList<>(SamplingChanges.keys());
    keys.add(FrameRateChange.KEY);
    keys.add(OVERLOAD);
    return keys;
  }

  /**
   * Checks what was written.
   *
   * @param chunkMicros length of the stream's chunks
   * @throws BadModelException naming every key that may not be changed and every value out of range
   */
  static OrderedSettings check(Map<String, String> written, long chunkMicros) {
    Map<String, String> sampling = new TreeMap<>();
    List<String> problems = new ArrayList<>();
    Optional<String> fps = Optional.empty();
    Optional<Integer> framesPerChunk = Optional.empty();
    Optional<OverloadMode> overload = Optional.empty();
    for (Map.Entry<String, String> one : new TreeMap<>(written).entrySet()) {
      try {
        if (one.getKey().equalsIgnoreCase(FrameRateChange.KEY)) {
          framesPerChunk = Optional.of(FrameRateChange.framesPerChunk(one.getValue(), chunkMicros));
          fps = Optional.of(one.getValue().strip());
        } else if (one.getKey().equalsIgnoreCase(OVERLOAD)) {
          overload = Optional.of(overload(one.getValue()));
        } else {
          sampling.put(one.getKey(), one.getValue());
        }
      } catch (BadModelException e) {
        problems.add(String.valueOf(e.getMessage()));
      }
    }
    try {
      sampling = SamplingChanges.check(sampling, keys());
    } catch (BadModelException e) {
      problems.add(String.valueOf(e.getMessage()));
    }
    if (!problems.isEmpty()) {
      throw new BadModelException(String.join("; ", problems));
    }
    return new OrderedSettings(sampling, fps, framesPerChunk, overload);
  }

  private static OverloadMode overload(String written) {
    for (OverloadMode mode : OverloadMode.values()) {
      if (mode.name().equalsIgnoreCase(written.strip())) {
        return mode;
      }
    }
    throw new BadModelException(
        "overload is \"%s\", expected block, live or merge".formatted(Texts.bounded(written, 100)));
  }

  boolean isEmpty() {
    return sampling.isEmpty() && fps.isEmpty() && overload.isEmpty();
  }

  /** As people read it: {@code fps=4, seed=7}. */
  @Override
  public String toString() {
    Map<String, String> all = new TreeMap<>(sampling);
    fps.ifPresent(value -> all.put(FrameRateChange.KEY, value));
    overload.ifPresent(mode -> all.put(OVERLOAD, mode.name().toLowerCase(Locale.ROOT)));
    StringBuilder text = new StringBuilder();
    all.forEach(
        (key, value) ->
            text.append(text.isEmpty() ? "" : ", ").append(key).append('=').append(value));
    return text.toString();
  }
}
