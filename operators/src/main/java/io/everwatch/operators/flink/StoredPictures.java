// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.model.EncodedFrame;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.flink.api.common.state.MapState;

/**
 * The pictures of a stream that lie in state, each once, whoever refers to it: the open chunk, a
 * turn that waits, or a round of the log. Those of the log belong to the log; the others ({@link
 * StreamState#stored}) go when nothing in the stream holds their frame any more.
 *
 * <p>Works on the key that is set.
 */
final class StoredPictures {
  private final MapState<Long, EncodedFrame> pictures;

  StoredPictures(MapState<Long, EncodedFrame> pictures) {
    this.pictures = pictures;
  }

  /** A set of frames by identity. */
  static Set<SourcedFrame> identities() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /** Stores what is not stored yet. */
  void put(StreamState stream, Collection<SourcedFrame> frames) throws Exception {
    for (SourcedFrame frame : frames) {
      if (!frame.isStored()) {
        pictures.put(stream.nextPicture, frame.picture());
        frame.stored(stream.nextPicture++);
        stream.stored.add(frame);
      }
    }
  }

  /** Keeps {@code live} in state, and nothing else but what the log holds. */
  void keep(StreamState stream, Set<SourcedFrame> live) throws Exception {
    for (SourcedFrame frame : stream.stored) {
      if (!live.contains(frame)) {
        pictures.remove(frame.number());
      }
    }
    stream.stored.retainAll(live);
    put(stream, live);
  }

  /** Reads from state what is not in the heap. */
  void load(Collection<SourcedFrame> frames) throws Exception {
    for (SourcedFrame frame : frames) {
      if (!frame.inHeap()) {
        EncodedFrame picture = pictures.get(frame.number());
        if (picture == null) {
          throw new IllegalStateException(
              "picture %d, of %s, is missing in the restored state; restore an earlier checkpoint"
                  .formatted(frame.number(), frame.origin()));
        }
        frame.loaded(picture);
      }
    }
  }

  void remove(Collection<SourcedFrame> frames) throws Exception {
    for (SourcedFrame frame : frames) {
      if (frame.isStored()) {
        pictures.remove(frame.number());
      }
    }
  }

  void clear() {
    pictures.clear();
  }
}
