// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.RowCounts;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.engine.Engine;
import io.everwatch.operators.engine.RoundResult;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.schemas.avro.MemoryFigures;
import java.util.Arrays;

/**
 * What an event tells of the memory after its round (docs/memory.md): a pure function of the stream
 * and its settings, so that the same event has the same bytes whenever it is said.
 */
final class MemoryLook {
  /** The text memory itself stands in the event of every so many rounds; it changes slowly. */
  static final int TEXT_EVERY_ROUNDS = 60;

  private final Engine engine;
  private final int maxTextBytes;

  /**
   * @param maxTextBytes of sink and of window, UTF-8
   */
  MemoryLook(Engine engine, int maxTextBytes) {
    this.engine = engine;
    this.maxTextBytes = maxTextBytes;
  }

  /**
   * The memory as it is.
   *
   * @param firstRound of those that this one made; the same round unless it is of several chunks
   */
  MemoryFigures of(RoundResult result, long firstRound, ComputedRows computed) {
    StreamMemory memory = result.session().memory();
    StreamSettings settings = result.session().settings();
    RowCounts rows = RowCounts.of(memory);
    int sink = settings.cutText() ? Math.min(rows.context(), settings.textSink()) : rows.context();
    MemoryFigures.Builder figures =
        MemoryFigures.newBuilder()
            .setVisionRows(rows.vision())
            .setGeneratedRows(rows.generated())
            .setContextRows(rows.context())
            .setRestRows(rows.rest())
            .setSinkRows(sink)
            .setContextFull(
                settings.cutText()
                    && rows.context() >= (long) settings.textSink() + settings.textWindow())
            .setPosition((long) ContiguousPositions.last(memory))
            .setComputedRows(computed.rows())
            .setCountedFromRound(computed.fromRound());
    if (result.round() - result.round() % TEXT_EVERY_ROUNDS >= firstRound) {
      int[] ids = memory.contextIds();
      figures
          .setSink(text(Arrays.copyOf(ids, sink)))
          .setWindow(text(Arrays.copyOfRange(ids, sink, ids.length)));
    }
    return figures.build();
  }

  private String text(int[] ids) {
    return Texts.bounded(engine.decode(ids), maxTextBytes);
  }
}
