// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import java.util.List;

/** The state machine of architecture §3a for one stream. */
public final class ChunkAssembler<P> {
  private ChunkAssembler() {}

  /** A stream of which nothing was seen yet. */
  public static <P> ChunkAssembler<P> start(ChunkSettings settings) {
    throw new UnsupportedOperationException();
  }

  /** Goes on where {@link #state} was taken. */
  public static <P> ChunkAssembler<P> restore(ChunkSettings settings, AssemblerState<P> state) {
    throw new UnsupportedOperationException();
  }

  /** Takes the next record of the stream, in partition order, and returns what it closes. */
  public List<Assembled<P>> offer(Frame<P> frame) {
    throw new UnsupportedOperationException();
  }

  /** Closes what is open: end of stream. */
  public List<Assembled<P>> finish() {
    throw new UnsupportedOperationException();
  }

  /** All that the next {@link #offer} depends on, as plain values. */
  public AssemblerState<P> state() {
    throw new UnsupportedOperationException();
  }
}
