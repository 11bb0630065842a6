// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.DeadFrame;
import io.everwatch.operators.chunk.Assembled.Gap;
import java.util.ArrayList;
import java.util.List;

/** What tests of chunk assembly share. Times in milliseconds, two frames a second. */
abstract class AssemblerCase {
  /** 1-s chunks of 2 frames; 2 s late at most, vision lost after 4 s, clock jumps from 10 s on. */
  static final ChunkSettings SETTINGS =
      new ChunkSettings(1_000_000, 2, 2_000_000, 4_000_000, 10_000_000);

  final ChunkAssembler<String> assembler = ChunkAssembler.start(SETTINGS);

  final List<Assembled<String>> offer(long sequence, long millis) {
    return assembler.offer(frame(sequence, millis));
  }

  final List<Assembled<String>> offer(long sequence, long millis, long arrivalMillis) {
    return assembler.offer(
        new Frame<>(sequence, millis * 1000, arrivalMillis * 1000, "" + sequence));
  }

  static Frame<String> frame(long sequence, long millis) {
    return new Frame<>(sequence, millis * 1000, Frame.ARRIVAL_UNKNOWN, "" + sequence);
  }

  static Counts counts(int received, int used, int surplus, int duplicate, int missing) {
    return new Counts(received, used, surplus, duplicate, missing);
  }

  /** Events in words, frames by their payload. */
  static List<String> told(List<? extends Assembled<String>> events) {
    return events.stream()
        .map(event -> event.match(AssemblerCase::tell, AssemblerCase::tell, d -> "dead"))
        .toList();
  }

  private static String tell(Chunk<String> chunk) {
    Counts counts = chunk.counts();
    List<String> frames = chunk.frames().stream().map(Frame::payload).toList();
    assertThat(chunk.endMicros()).isEqualTo(chunk.startMicros() + SETTINGS.chunkMicros());
    assertThat(counts.received()).isEqualTo(counts.used() + counts.surplus() + counts.duplicate());
    return "chunk %d at %d: %s (%d used, %d surplus, %d duplicate, %d missing)"
        .formatted(
            chunk.index(),
            chunk.startMicros() / 1000,
            String.join(" ", frames),
            counts.used(),
            counts.surplus(),
            counts.duplicate(),
            counts.missing());
  }

  private static String tell(Gap<String> gap) {
    return "gap %d-%d from %d to %d (%d missing)"
        .formatted(
            gap.first(),
            gap.last(),
            gap.startMicros() / 1000,
            gap.endMicros() / 1000,
            gap.counts().missing());
  }

  static Gap<String> gap(long first, long last, long start, long end, int missing) {
    return new Gap<>(first, last, start * 1000, end * 1000, counts(0, 0, 0, 0, missing));
  }

  static List<Chunk<String>> chunks(List<Assembled<String>> events) {
    List<Chunk<String>> chunks = new ArrayList<>();
    for (Assembled<String> event : events) {
      if (event instanceof Chunk<String> chunk) {
        chunks.add(chunk);
      }
    }
    return chunks;
  }

  static List<DeadFrame<String>> dead(List<Assembled<String>> events) {
    List<DeadFrame<String>> dead = new ArrayList<>();
    for (Assembled<String> event : events) {
      if (event instanceof DeadFrame<String> frame) {
        dead.add(frame);
      }
    }
    return dead;
  }
}
