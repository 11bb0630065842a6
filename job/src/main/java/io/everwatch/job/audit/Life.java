// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.audit;

import io.everwatch.schemas.avro.SourceRange;

/**
 * A stream from its first frame to its end, on the frames topic: all its frames lie there from the
 * first one of chunk 0 to the end-of-stream record. A stream that ended may live again.
 */
final class Life {
  private final String topic;
  private final int partition;
  private final long firstOffset;
  private long endOffset = Long.MAX_VALUE;
  private boolean forgotten;
  private boolean whole;
  private long reported;
  private long found;
  private StoredText last;

  /** Begins with the event that named the first frame, or the first that is still kept. */
  Life(StoredText first, SourceRange source, boolean whole) {
    this.topic = source.getTopic();
    this.partition = source.getPartition();
    this.firstOffset = source.getFirstOffset();
    this.whole = whole;
    this.last = first;
  }

  /** An event of this life. */
  void book(StoredText text) {
    reported += text.event().getFrames().getReceived();
    last = text;
    for (SourceRange source : text.event().getSources()) {
      whole &= source.getTopic().equals(topic) && source.getPartition() == partition;
    }
  }

  void end(long offset) {
    endOffset = offset;
  }

  /** It ended without a record of its end: where it does, there is its last frame. */
  void forget() {
    forgotten = true;
  }

  /** A frame of this life lies on the frames topic. */
  void find() {
    found++;
  }

  String topic() {
    return topic;
  }

  int partition() {
    return partition;
  }

  long firstOffset() {
    return firstOffset;
  }

  long endOffset() {
    return endOffset;
  }

  boolean ended() {
    return forgotten || endOffset != Long.MAX_VALUE;
  }

  boolean forgotten() {
    return forgotten;
  }

  /** What follows on the topic is not of this life. */
  boolean bounded() {
    return endOffset != Long.MAX_VALUE;
  }

  /** All its events are known, and all its frames lie in one partition. */
  boolean whole() {
    return whole;
  }

  /** Frames that its events tell of. */
  long reported() {
    return reported;
  }

  long found() {
    return found;
  }

  /** Its newest event. */
  StoredText last() {
    return last;
  }
}
