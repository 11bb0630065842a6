// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.chunk.Assembled.Chunk;
import io.everwatch.operators.chunk.Assembled.Counts;
import io.everwatch.operators.chunk.Assembled.Gap;
import io.everwatch.operators.chunk.AssemblerState;
import io.everwatch.operators.chunk.AssemblerState.Placed;
import io.everwatch.operators.chunk.AssemblerState.Progress;
import io.everwatch.operators.chunk.AssemblerState.Range;
import io.everwatch.operators.chunk.AssemblerState.Rate;
import io.everwatch.operators.chunk.AssemblerState.Sequences;
import io.everwatch.operators.chunk.Frame;
import io.everwatch.operators.engine.NumericsIdentity;
import io.everwatch.operators.flink.Turn.ChunkTurn;
import io.everwatch.operators.flink.Turn.CommandTurn;
import io.everwatch.operators.flink.Turn.EndTurn;
import io.everwatch.operators.flink.Turn.GapTurn;
import io.everwatch.operators.flink.Turn.SkippedTurn;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.avro.Mark;
import io.everwatch.schemas.avro.SourceRange;
import java.io.IOException;
import java.io.InputStream;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SerializersTest {
  /** A serializer and a value with every field set. */
  record Case<T>(String name, VersionedSerializer<T> serializer, T value) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Origin ORIGIN = new Origin("frames", 3, 77, new byte[] {'a'});
  private static final EncodedFrame PICTURE =
      new EncodedFrame(Encoding.PNG, 4, 5, new byte[] {1, 2, 3});

  private static final Command COMMAND =
      new Command("c-1", Command.Kind.SET, Map.of("top_k", "5", "seed", "7"), "words");

  static Stream<Case<?>> cases() {
    Frame<SourcedFrame> frame = SourcedFrame.stored(45, 3, ORIGIN, 43).frame(41, 42);
    Frame<SourcedFrame> bare =
        SourcedFrame.stored(55, 0, new Origin("frames", 1, 2, null), 53).frame(51, 52);
    Counts counts = new Counts(1, 2, 3, 4, 5);
    return Stream.of(
        new Case<>("StreamKey", new StreamKey.Serializer(), new StreamKey(-9, "Kamera ä")),
        new Case<>(
            "FrameRecord",
            new FrameRecordSerializer(),
            new FrameRecord(StreamKey.of("a"), ORIGIN, 5, new FrameRecord.Picture(6, 7, PICTURE))),
        new Case<>(
            "FrameRecordUnusable",
            new FrameRecordSerializer(),
            new FrameRecord(
                StreamKey.of("a"),
                new Origin("frames", 0, 1, null),
                5,
                new FrameRecord.Unusable("R", "why", null, -1, 0, new byte[] {9}, 100))),
        new Case<>(
            "FrameRecordEnd",
            new FrameRecordSerializer(),
            new FrameRecord(StreamKey.of("a"), ORIGIN, 5, new FrameRecord.End(8))),
        new Case<>(
            "FrameRecordCommand",
            new FrameRecordSerializer(),
            new FrameRecord(StreamKey.of("a"), ORIGIN, 5, COMMAND)),
        new Case<>(
            "TextRecord",
            new TextRecord.Serializer(),
            new TextRecord(
                new StreamKey(-9, "a"),
                new byte[] {1, 2},
                new EventHeaders(1, 2, 3, 4, 5, 6, 7),
                7,
                8)),
        new Case<>(
            "DeadLetterRecord",
            new DeadLetterRecord.Serializer(),
            new DeadLetterRecord(null, new byte[] {4})),
        new Case<>(
            "Turns",
            new TurnsSerializer(),
            List.of(
                new ChunkTurn(
                    new Chunk<>(
                        11, 12, 13, List.of(frame, bare, frame), 14, 15, counts, true, false),
                    16,
                    17),
                new GapTurn(new Gap<>(21, 22, 23, 24, counts), Turn.NO_TIMESTAMP, 25),
                new EndTurn(Optional.of(ORIGIN), 31, "", 32, counts, 33, 34),
                new EndTurn(Optional.empty(), -1, "forgotten", -1, counts, 38, 39),
                new CommandTurn(
                    COMMAND, ORIGIN, true, 40, Optional.of(ORIGIN.withoutKey()), 35, 36, 37),
                new SkippedTurn(
                    new SkippedRun(
                        "overload",
                        91,
                        91,
                        92,
                        93,
                        94,
                        95,
                        counts,
                        List.of(new SourceRange("frames", 1, 96L, 97L)),
                        true),
                    true,
                    98,
                    99))),
        new Case<>(
            "LoggedRound",
            new LoggedRound.Serializer(),
            new LoggedRound(
                7,
                true,
                List.of(frame.payload(), bare.payload(), frame.payload()),
                Map.of("top_k", "5"),
                12345,
                "a car",
                true)),
        new Case<>("Picture", new PictureSerializer(), PICTURE),
        new Case<>(
            "NumericsIdentity",
            new NumericsHistory.Serializer(),
            new NumericsIdentity("d", Map.of("device", "cpu"))),
        new Case<>("MemoryName", new MemoryName.Serializer(), new MemoryName(1, 2, 3, 4, 5, 6)),
        new Case<>(
            "StoredStream",
            new StoredStreamSerializer(),
            new StoredStream(
                new AssemblerState<>(
                    1_000_000,
                    List.of(new Rate(0, 2), new Rate(7, 5)),
                    true,
                    new Progress(9, 1, 2, 3, 4, 5, 6, 10, 7, 8, true, false),
                    new Sequences(1, 2, 3, List.of(new Range(4, 5))),
                    List.of(new Placed<>(9, 1, frame)),
                    List.of(bare),
                    List.of(frame)),
                61,
                62,
                63,
                true,
                EnumSet.of(Mark.NUMERICS_CHANGED),
                "model",
                "numerics",
                new StreamOrders(
                    "c-9",
                    "gate",
                    Map.of("seed", "7"),
                    "2.5",
                    Optional.of(OverloadMode.LIVE),
                    List.of("a", "b"),
                    List.of("b"),
                    77),
                64,
                65,
                Optional.of(ORIGIN.withoutKey()),
                78,
                List.of(
                    new SkippedRun(
                        "overload",
                        81,
                        82,
                        83,
                        84,
                        85,
                        86,
                        counts,
                        List.of(new SourceRange("frames", 1, 87L, 88L)),
                        true)),
                List.of(new MergedChunks(62, 69)),
                61,
                new ComputedRows(1L << 33, 7))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  <T> void readBackWhatTheyWrote(Case<T> one) throws IOException {
    byte[] bytes = write(one.serializer, one.value);

    T read = one.serializer.deserialize(new DataInputDeserializer(bytes));

    assertThat(read).usingRecursiveComparison().isEqualTo(one.value);
    assertThat(write(one.serializer, read)).isEqualTo(bytes);
    DataOutputSerializer copied = new DataOutputSerializer(16);
    one.serializer.copy(new DataInputDeserializer(bytes), copied);
    assertThat(copied.getCopyOfBuffer()).isEqualTo(bytes);
  }

  /** Bytes of version 0.1.0: whoever changes a layout raises its version and adds the new bytes. */
  @ParameterizedTest
  @MethodSource("cases")
  <T> void readWhatEachReleaseWrote(Case<T> one) throws IOException {
    byte[] bytes = storedBytes(one.name);

    assertThat(write(one.serializer, one.value)).as("bytes of %s", one.name).isEqualTo(bytes);
    assertThat(one.serializer.deserialize(new DataInputDeserializer(bytes)))
        .usingRecursiveComparison()
        .isEqualTo(one.value);
  }

  /** Layouts that were written before words were logged and memories rebuilt. */
  @Test
  void readValuesOfTheLayoutBefore() throws IOException {
    LoggedRound round = new LoggedRound.Serializer().deserialize(stored("LoggedRound.layout2"));
    assertThat(round.sampling()).containsExactly(Map.entry("top_k", "5"));
    assertThat(round.said()).isNull();
    assertThat(round.asSaid()).isEqualTo(round.input());

    MemoryName name = new MemoryName.Serializer().deserialize(stored("MemoryName.layout1"));
    assertThat(name).isEqualTo(new MemoryName(1, 2, 3, 4, 0, 0));
  }

  /** Layouts that were written before several chunks could have one round. */
  @Test
  void readValuesOfTheLayoutWithoutMergedRounds() throws IOException {
    LoggedRound round = new LoggedRound.Serializer().deserialize(stored("LoggedRound.layout3"));
    assertThat(round.said()).isEqualTo("a car");
    assertThat(round.joined()).isFalse();

    StoredStream stream = new StoredStreamSerializer().deserialize(stored("StoredStream.layout3"));
    assertThat(stream.skipped()).hasSize(1);
    assertThat(stream.merge()).isEmpty();
    assertThat(stream.aloneThrough()).isEqualTo(-1);
  }

  /** Layouts that were written before events told of the memory, and of the start of their task. */
  @Test
  void readValuesOfTheLayoutWithoutComputedRows() throws IOException {
    StoredStream stream = new StoredStreamSerializer().deserialize(stored("StoredStream.layout4"));
    assertThat(stream.computed()).isEqualTo(ComputedRows.UNKNOWN);
    assertThat(stream.merge()).hasSize(1);

    TextRecord text = new TextRecord.Serializer().deserialize(stored("TextRecord.layout2"));
    assertThat(text.headers().doneMillis()).isEqualTo(6);
    assertThat(text.headers().startedMillis()).isEqualTo(EventHeaders.ABSENT);
    assertThat(text.settled()).isEqualTo(8);
  }

  /** The layout that was written before chunks were skipped that wait. */
  @Test
  void readTurnsOfTheLayoutBefore() throws IOException {
    List<Turn> turns = new TurnsSerializer().deserialize(stored("Turns.layout2"));
    assertThat(turns).hasSize(5).last().isInstanceOf(CommandTurn.class);
  }

  /** Layouts that were written before commands came. */
  @Test
  void readValuesOfAnEarlierLayout() throws IOException {
    LoggedRound round = new LoggedRound.Serializer().deserialize(stored("LoggedRound.layout1"));
    assertThat(round.sampling()).isEmpty();
    assertThat(round.outcome()).isEqualTo(12345);
    assertThat(round.chunk()).isEqualTo(7);
    assertThat(round.input().frames().get(0)).usingRecursiveComparison().isEqualTo(PICTURE);

    List<Turn> turns = new TurnsSerializer().deserialize(stored("Turns.layout1"));
    assertThat(turns.subList(2, 4))
        .usingRecursiveComparison()
        .isEqualTo(
            List.of(
                new EndTurn(Optional.of(ORIGIN), 31, "", 32, new Counts(1, 2, 3, 4, 5), 33, 34),
                new CommandTurn(COMMAND, ORIGIN, true, 0, Optional.empty(), 35, 36, 37)));

    StoredStream stream = new StoredStreamSerializer().deserialize(stored("StoredStream.layout1"));
    assertThat(stream.orders()).isEqualTo(StreamOrders.NONE);
    assertThat(stream.numerics()).isEqualTo("numerics");
    stream = new StoredStreamSerializer().deserialize(stored("StoredStream.layout2"));
    assertThat(stream.orders().stoppedBy()).isEqualTo("c-9");
    Progress progress = stream.assembler().progress();
    assertThat(progress.beganMicros()).as("as good as it is known").isEqualTo(1);
    assertThat(progress.clockArrivalMicros()).isEqualTo(Frame.ARRIVAL_UNKNOWN);
    assertThat(progress.surplus()).isEqualTo(7);
    assertThat(stream.seenMillis()).isZero();
    assertThat(stream.staleChunk()).isEqualTo(StoredStream.NEVER_STALE);
    assertThat(stream.lastFrame()).isEmpty();
    assertThat(stream.orders().overload()).isEmpty();
    assertThat(stream.assembler().rates()).containsExactly(new Rate(0, 2));
    assertThat(stream.assembler().held().get(0).payload().picture())
        .usingRecursiveComparison()
        .isEqualTo(PICTURE);
    assertThat(stream.skipped()).isEmpty();
    assertThat(turns.get(0).frames()).hasSize(2).allMatch(SourcedFrame::inHeap);

    TextRecord text = new TextRecord.Serializer().deserialize(stored("TextRecord.layout1"));
    assertThat(text.key()).isEqualTo(StreamKey.of("a"));
    assertThat(text.headers().doneMillis()).isEqualTo(6);
  }

  private static DataInputDeserializer stored(String name) throws IOException {
    return new DataInputDeserializer(storedBytes(name));
  }

  private static byte[] storedBytes(String name) throws IOException {
    Properties released = new Properties();
    try (InputStream in = SerializersTest.class.getResourceAsStream("stored-0.1.0.properties")) {
      released.load(in);
    }
    return HexFormat.of().parseHex(released.getProperty(name, "").strip());
  }

  @ParameterizedTest
  @MethodSource("cases")
  <T> void refuseAValueOfAnUnknownVersion(Case<T> one) throws IOException {
    byte[] bytes = write(one.serializer, one.value);
    for (int version : new int[] {0, one.serializer.version() + 1, 255}) {
      bytes[0] = (byte) version;

      assertThatThrownBy(() -> one.serializer.deserialize(new DataInputDeserializer(bytes)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(one.serializer.what())
          .hasMessageContaining("layout " + version)
          .hasMessageContaining("start the release that wrote it");
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  <T> void refuseStateOfAnUnknownVersionAsAWhole(Case<T> one) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(16);
    TypeSerializerSnapshot.writeVersionedSnapshot(out, one.serializer.snapshotConfiguration());
    byte[] bytes = out.getCopyOfBuffer();
    TypeSerializerSnapshot<T> same = readSnapshot(bytes);
    assertThat(same.restoreSerializer()).isEqualTo(one.serializer);
    assertThat(
            one.serializer
                .snapshotConfiguration()
                .resolveSchemaCompatibility(same)
                .isCompatibleAsIs())
        .isTrue();

    bytes[bytes.length - 1]++; // the newest layout in the state
    assertThatThrownBy(() -> readSnapshot(bytes))
        .isInstanceOf(SuppressRestartsException.class) // no other try would read it
        .hasStackTraceContaining(one.serializer.what())
        .hasStackTraceContaining("start the release that wrote it");
  }

  @ParameterizedTest
  @MethodSource("cases")
  <T> void makeAnInstanceThatTheyCanWrite(Case<T> one) throws IOException {
    assertThat(write(one.serializer, one.serializer.createInstance())).isNotEmpty();
  }

  @Test
  void keepRepeatedFramesTheSameInstance() throws IOException {
    LoggedRound.Serializer serializer = new LoggedRound.Serializer();
    SourcedFrame frame = SourcedFrame.stored(1, 2, ORIGIN, 3);
    SourcedFrame other = SourcedFrame.stored(4, 2, ORIGIN, 3);
    byte[] bytes =
        write(
            serializer,
            new LoggedRound(0, false, List.of(frame, frame, other), Map.of(), 0, "", false));

    List<SourcedFrame> read = serializer.deserialize(new DataInputDeserializer(bytes)).frames();

    assertThat(read.get(1)).isSameAs(read.get(0)).isNotSameAs(read.get(2));
  }

  private static <T> TypeSerializerSnapshot<T> readSnapshot(byte[] bytes) throws IOException {
    return TypeSerializerSnapshot.readVersionedSnapshot(
        new DataInputDeserializer(bytes), SerializersTest.class.getClassLoader());
  }

  private static <T> byte[] write(TypeSerializer<T> serializer, T value) throws IOException {
    DataOutputSerializer out = new DataOutputSerializer(64);
    serializer.serialize(value, out);
    return out.getCopyOfBuffer();
  }
}
