// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.cache;

/** Which part of the prompt grammar a segment is (StreamingVLM §5). Persisted by name. */
public enum SegmentKind {
  /** System turn. */
  SYSTEM,
  /** Header of the {@code previous text} turn. */
  MEMORY_OPEN,
  /** Content of the {@code previous text} turn: context and moved words. */
  MEMORY,
  /** End of the {@code previous text} turn. */
  MEMORY_CLOSE,
  USER_OPEN,
  /** Time marker. */
  MARKER,
  /** Vision start, pads, vision end. */
  VISION,
  QUERY,
  USER_CLOSE,
  ASSISTANT_OPEN,
  /** Generated ids, the end token included; the last one or two may have no K and V yet. */
  GENERATED,
  /** The newline after an assistant turn, computed with the next round. */
  ASSISTANT_CLOSE
}
