// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.RowValues;
import io.everwatch.operators.cache.Segment;
import io.everwatch.operators.cache.SegmentKind;
import io.everwatch.operators.cache.Slice;
import io.everwatch.operators.cache.StreamMemory;
import io.everwatch.operators.cache.VideoGrid;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class SessionSnapshotTest {
  private static final int ELEMENTS = 3000;
  private static final int ROWS = 400; // 4.8 MB: header, then 87 rows to a piece

  private static final String LAYOUT_1_HEADER =
      "45575353000100000000000000000002000002250000000467617465000000406d6d6d6d"
          + "6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d"
          + "6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d000000406e6e6e6e6e6e6e6e"
          + "6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e"
          + "6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e00000003463332000000024000000000"
          + "00000000000000000f4240000000000000006400000000000000c8000000100000001001"
          + "00000010000000c0000000143f6666663f866666000000323f4ccccd000000000000002a"
          + "0000000657617463682e00000007434f4e5445585440c194000000000000000000000000"
          + "01000000000000000200000000000000030000000000000005000000000000000d000000"
          + "0300000000000000000000000653595354454dffffffffffffffff000000030000000100"
          + "000002000000030000000000000000070000000947454e45524154454400000000000000"
          + "0300000005000000090000000800000007000000010000000000000000000000000c0000"
          + "000947454e45524154454400000000000000040000000300000005000000010000000000"
          + "000000030000000000000000000000030000000653595354454dffffffffffffffff0000"
          + "00010000000000000002000000064d454d4f5259ffffffffffffffff0000000200000000"
          + "000000030000000947454e455241544544000000000000000400000002deaeb3b2";

  private static final String LAYOUT_1_ROWS =
      "45575353000100010000000100000002000000100000803f000000400000404000008040" + "d9375f92";

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
    assertThat(Arrays.deepEquals(read.rows(DType.F32), rows())).isTrue();
    assertThat(SessionSnapshot.of(read.header(), read.rows(DType.F32)).pieces())
        .usingElementComparator(Arrays::compare)
        .isEqualTo(written.pieces());
  }

  @Test
  void keepsPiecesBelowOneMebibyte() {
    assertThat(snapshot().pieces()).hasSize(7).allMatch(piece -> piece.length <= 1 << 20);
    assertThat(snapshot().sizeBytes()).isGreaterThan(4L * ELEMENTS * ROWS);
  }

  @Test
  void keepsAHeaderOfSeveralPieces() {
    Segment segment = new Segment(0, SegmentKind.MEMORY, -1, new int[600_000], null);
    Committed committed = new Committed(new StreamMemory(List.of(Slice.whole(segment)), 0), 1, 1);
    SessionSnapshot large = SessionSnapshot.of(header(committed), new byte[0][]);
    assertThat(large.pieces()).hasSize(6);
    assertThat(SessionSnapshot.ofPieces(large.pieces()).header().committed().memory().rows())
        .isEqualTo(600_000);
  }

  @Test
  void namesThePieceOfRowsInWhichABitWasFlipped() {
    List<byte[]> pieces = snapshot().pieces();
    for (int i = 1; i < pieces.size() - 1; i++) {
      for (List<byte[]> damaged : flipped(pieces, i)) {
        assertThatExceptionOfType(CorruptSnapshotException.class)
            .isThrownBy(() -> SessionSnapshot.ofPieces(damaged))
            .withMessageContaining("piece " + i + " of a snapshot of 7 pieces");
        assertThat(FoundPieces.of(damaged).header().committed().rounds()).isEqualTo(70_000);
      }
    }
  }

  @Test
  void readsTheHeaderFromItsCopyWhenABitOfItWasFlipped() {
    List<byte[]> pieces = snapshot().pieces();
    for (int i : new int[] {0, pieces.size() - 1}) {
      for (List<byte[]> damaged : flipped(pieces, i)) {
        SessionSnapshot read = SessionSnapshot.ofPieces(damaged);
        assertThat(read.header().write()).isEqualTo(snapshot().header().write());
        assertThat(Arrays.deepEquals(read.rows(DType.F32), rows())).isTrue();
      }
    }
    List<byte[]> both = new ArrayList<>(pieces);
    both.set(0, new byte[0]);
    both.set(pieces.size() - 1, new byte[0]);
    assertThatExceptionOfType(CorruptSnapshotException.class)
        .isThrownBy(() -> SessionSnapshot.ofPieces(both))
        .withMessageContaining("piece 0 of a snapshot of 7 pieces is damaged: it is missing");
  }

  /** Each with one bit of piece {@code i} flipped: all of its front, some of its content. */
  private static List<List<byte[]>> flipped(List<byte[]> pieces, int i) {
    Random random = new Random(5 + i);
    List<List<byte[]>> all = new ArrayList<>();
    for (int n = 0; n < 40; n++) {
      byte[] piece = pieces.get(i).clone();
      int at = n < 24 ? n : random.nextInt(piece.length);
      piece[at] ^= (byte) (1 << random.nextInt(8));
      List<byte[]> damaged = new ArrayList<>(pieces);
      damaged.set(i, piece);
      all.add(damaged);
    }
    return all;
  }

  @Test
  void keepsRowsOfTheHalvedTypeInHalfTheBytesAndWidensThem() {
    byte[][] full = rows();
    byte[][] halved = new byte[ROWS][];
    Arrays.setAll(halved, i -> RowValues.convert(full[i], DType.F32, DType.BF16));
    SnapshotHeader header = header(new Committed(memory(), 70_000, 1234), DType.BF16);

    SessionSnapshot read = SessionSnapshot.ofPieces(SessionSnapshot.of(header, halved).pieces());

    assertThat(read.header().rowType()).isEqualTo(DType.BF16);
    assertThat(read.sizeBytes()).isBetween(2L * ELEMENTS * ROWS, 2L * ELEMENTS * ROWS + 10_000);
    assertThat(read.rows(DType.BF16)).isDeepEqualTo(halved);
    for (int row = 0; row < ROWS; row++) {
      float[] values = RowValues.values(read.rows(DType.F32)[row], DType.F32);
      float[] exact = RowValues.values(full[row], DType.F32);
      for (int i = 0; i < ELEMENTS; i += 97) {
        assertThat(values[i]).isCloseTo(exact[i], Offset.offset(exact[i] / 256));
      }
    }
  }

  /** Layout 1: one header, no texts. */
  @Test
  void readsAnEarlierLayout() {
    HexFormat hex = HexFormat.of();
    List<byte[]> pieces = List.of(hex.parseHex(LAYOUT_1_HEADER), hex.parseHex(LAYOUT_1_ROWS));

    SessionSnapshot read = SessionSnapshot.ofPieces(pieces);

    assertThat(read.rounds()).isEqualTo(5);
    assertThat(read.header().committed().memory().ids()).containsExactly(1, 2, 3, 9, 8, 5, 1, 0);
    assertThat(read.header().transcript()).isEqualTo(Transcript.UNKNOWN);
    assertThat(read.rows(DType.F32))
        .isDeepEqualTo(
            new byte[][] {
              RowValues.bytes(new float[] {1, 2}), RowValues.bytes(new float[] {3, 4})
            });
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
    empty.set(2, new byte[0]);
    for (List<byte[]> bad :
        List.of(
            List.<byte[]>of(), pieces.subList(0, 6), pieces.subList(1, 7), swapped, cut, empty)) {
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
        SnapshotHeader.read(
            damaged, SnapshotPieces.VERSION); // a changed number may still be a number
      } catch (CorruptSnapshotException e) {
        assertThat(e).hasMessageContaining("rebuild the stream");
      }
    }
    for (int length = 0; length < bytes.length; length += 7) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatExceptionOfType(CorruptSnapshotException.class)
          .isThrownBy(() -> SnapshotHeader.read(cut, SnapshotPieces.VERSION));
    }
  }

  private static SessionSnapshot snapshot() {
    return SessionSnapshot.of(header(new Committed(memory(), 70_000, 1234)), rows());
  }

  private static SnapshotHeader header(Committed committed) {
    return header(committed, DType.F32);
  }

  private static SnapshotHeader header(Committed committed, DType type) {
    return new SnapshotHeader(
        "gate/北",
        "m".repeat(64),
        "n".repeat(64),
        type,
        ELEMENTS,
        settings(),
        committed,
        new Transcript(committed.memory().slices().stream().map(s -> "said ä " + s.to()).toList()));
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

  private static byte[][] rows() {
    Random random = new Random(1);
    byte[][] rows = new byte[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      float[] values = new float[ELEMENTS];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat();
      }
      rows[row] = RowValues.bytes(values);
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
        3,
        PrefillSettings.DEFAULT);
  }
}
