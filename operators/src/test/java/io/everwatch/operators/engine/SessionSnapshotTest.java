// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SessionSnapshotTest {
  private static final int ELEMENTS = 3000;
  private static final int ROWS = 400; // 4.8 MB: header, then 87 rows to a piece

  @Test
  void comesBackAsItWas() {
    SessionSnapshot written = snapshot();
    SessionSnapshot read = SessionSnapshot.ofPieces(written.pieces());

    assertThat(read.streamId()).isEqualTo("gate/北");
    assertThat(read.rounds()).isEqualTo(70_000);
    assertThat(read.settings()).isEqualTo(settings());
    assertThat(read.modelDigest()).isEqualTo("m".repeat(64));
    assertThat(read.numericsIdentity()).isEqualTo("n".repeat(64));
    assertThat(read.header().committed().nextSegment()).isEqualTo(1234);
    StreamMemory memory = read.header().committed().memory();
    assertThat(memory.cachedRows()).isEqualTo(ROWS);
    assertThat(memory.ids()).isEqualTo(memory().ids());
    assertThat(memory.slices().get(1).kind()).isEqualTo(SegmentKind.MEMORY);
    assertThat(memory.slices().get(1).segment()).isSameAs(memory.slices().get(2).segment());
    assertThat(memory.slices().get(3).segment().grid()).isEqualTo(new VideoGrid(2, 10, 19, 0.5f));
    assertThat(Arrays.deepEquals(read.rows(), rows())).isTrue();
    assertThat(SessionSnapshot.of(read.header(), read.rows()).pieces())
        .usingElementComparator(Arrays::compare)
        .isEqualTo(written.pieces());
  }

  @Test
  void keepsPiecesBelowOneMebibyte() {
    assertThat(snapshot().pieces()).hasSize(6).allMatch(piece -> piece.length <= 1 << 20);
    assertThat(snapshot().sizeBytes()).isGreaterThan(4L * ELEMENTS * ROWS);
  }

  @Test
  void keepsAHeaderOfSeveralPieces() {
    Segment segment = new Segment(0, SegmentKind.MEMORY, -1, new int[600_000], null);
    Committed committed = new Committed(new StreamMemory(List.of(Slice.whole(segment)), 0), 1, 1);
    SessionSnapshot large = SessionSnapshot.of(header(committed), new float[0][]);
    assertThat(large.pieces()).hasSize(3);
    assertThat(SessionSnapshot.ofPieces(large.pieces()).header().committed().memory().rows())
        .isEqualTo(600_000);
  }

  @Test
  void namesThePieceInWhichABitWasFlipped() {
    List<byte[]> pieces = snapshot().pieces();
    Random random = new Random(5);
    for (int i = 0; i < pieces.size(); i++) {
      for (int n = 0; n < 40; n++) {
        List<byte[]> damaged = new ArrayList<>(pieces);
        byte[] piece = pieces.get(i).clone();
        int at = n < 24 ? n : random.nextInt(piece.length);
        piece[at] ^= (byte) (1 << random.nextInt(8));
        damaged.set(i, piece);
        assertThatExceptionOfType(CorruptSnapshotException.class)
            .as("byte %d of piece %d", at, i)
            .isThrownBy(() -> SessionSnapshot.ofPieces(damaged))
            .withMessageContaining("piece " + i + " of a snapshot of 6 pieces");
      }
    }
  }

  @Test
  void noticesPiecesThatAreMissingSwappedCutOrEmpty() {
    List<byte[]> pieces = snapshot().pieces();
    List<byte[]> swapped = new ArrayList<>(pieces);
    swapped.set(1, pieces.get(2));
    swapped.set(2, pieces.get(1));
    List<byte[]> cut = new ArrayList<>(pieces);
    cut.set(3, Arrays.copyOf(pieces.get(3), 1000));
    List<byte[]> empty = new ArrayList<>(pieces);
    empty.set(0, new byte[0]);
    for (List<byte[]> bad :
        List.of(
            List.<byte[]>of(), pieces.subList(0, 5), pieces.subList(1, 6), swapped, cut, empty)) {
      assertThatExceptionOfType(CorruptSnapshotException.class)
          .isThrownBy(() -> SessionSnapshot.ofPieces(bad));
    }
  }

  @Test
  void refusesAHeaderThatClaimsMoreThanItHolds() {
    byte[] bytes = header(new Committed(memory(), 70_000, 1234)).write();
    Random random = new Random(9);
    for (int n = 0; n < 2_000; n++) {
      byte[] damaged = bytes.clone();
      damaged[random.nextInt(bytes.length)] = (byte) random.nextInt();
      try {
        SnapshotHeader.read(damaged); // a changed number may still be a number
      } catch (CorruptSnapshotException e) {
        assertThat(e).hasMessageContaining("rebuild the stream");
      }
    }
    for (int length = 0; length < bytes.length; length += 7) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatExceptionOfType(CorruptSnapshotException.class)
          .isThrownBy(() -> SnapshotHeader.read(cut));
    }
  }

  private static SessionSnapshot snapshot() {
    return SessionSnapshot.of(header(new Committed(memory(), 70_000, 1234)), rows());
  }

  private static SnapshotHeader header(Committed committed) {
    return new SnapshotHeader(
        "gate/北", "m".repeat(64), "n".repeat(64), ELEMENTS, settings(), committed);
  }

  private static StreamMemory memory() {
    Segment head = new Segment(0, SegmentKind.SYSTEM, -1, new int[] {1, 2, 3}, null);
    Segment said = new Segment(7, SegmentKind.GENERATED, 3, new int[] {9, 8, 7, 6, 5}, null);
    Segment seen =
        new Segment(9, SegmentKind.VISION, 69_999, new int[382], new VideoGrid(2, 10, 19, 0.5f));
    Segment last = new Segment(1233, SegmentKind.GENERATED, 69_999, new int[14], null);
    return new StreamMemory(
        List.of(
            Slice.whole(head),
            new Slice(said, 0, 1, SegmentKind.MEMORY, -1),
            new Slice(said, 3, 4, SegmentKind.MEMORY, -1),
            Slice.whole(seen),
            Slice.whole(last)),
        ROWS);
  }

  private static float[][] rows() {
    Random random = new Random(1);
    float[][] rows = new float[ROWS][ELEMENTS];
    for (float[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        row[i] = random.nextFloat();
      }
    }
    return rows;
  }

  private static StreamSettings settings() {
    return new StreamSettings(
        2,
        1_000_000,
        100,
        200,
        16,
        16,
        true,
        16,
        192,
        20,
        0.9f,
        1.05f,
        50,
        0.8f,
        42,
        "Watch.",
        QueryPlacement.CONTEXT,
        9000,
        1,
        2,
        3);
  }
}
