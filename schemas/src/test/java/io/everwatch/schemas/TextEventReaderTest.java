// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.schemas.avro.TextEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On the Kafka client's own stand-in; with a broker, crash and transactions in the job's tests. */
class TextEventReaderTest {
  private static final TextReaderOptions OPTIONS =
      TextReaderOptions.of("localhost:1", "text").start(new TextReaderOptions.FromBeginning());

  private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
  private final AtomicLong nanos = new AtomicLong();
  private final long[] nextOffset = new long[4];

  @Test
  void reportsEachEventOnce() {
    TextEventReader reader = reader(OPTIONS, 2);
    add(0, Samples.text("a", 1, "one"));
    add(1, Samples.text("b", 1, "one"));
    add(0, Samples.text("a", 1, "one"));

    assertThat(texts(reader)).containsExactlyInAnyOrder("a 1 one", "b 1 one");

    add(0, Samples.text("a", 1, "one"));
    add(0, Samples.text("a", 2, "two"));

    assertThat(texts(reader)).containsExactly("a 2 two");
  }

  @Test
  void reportsAnEventAgainWhenItsBytesChanged() {
    TextEventReader reader = reader(OPTIONS, 1);
    add(0, Samples.text("a", 1, "one"));
    add(0, Samples.text("a", 1, "other"));

    assertThat(reader.poll(Duration.ZERO))
        .extracting(received -> received.event().getText(), ReceivedText::changed)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("one", false),
            org.assertj.core.groups.Tuple.tuple("other", true));
  }

  @Test
  void tellsEventsOfOneChunkApartBySubject() {
    TextEventReader reader = reader(OPTIONS, 1);
    add(0, Samples.text("a", 1, "one"));
    add(0, TextEvent.newBuilder(Samples.text("a", 1, "one")).setSubject("c-7").build());

    assertThat(texts(reader)).hasSize(2);
  }

  @Test
  void tellsTheLivesOfAStreamApart() {
    TextEventReader reader = reader(OPTIONS, 1);
    add(0, Samples.text("a", 1, "one"));
    add(0, TextEvent.newBuilder(Samples.text("a", 1, "other")).setBeganMicros(60).build());

    assertThat(reader.poll(Duration.ZERO)).extracting(ReceivedText::changed).containsOnly(false);
  }

  @Test
  void forgetsTheLongestUnseenBeyondItsBound() {
    TextEventReader reader = reader(OPTIONS.rememberedEvents(2), 1);
    add(0, Samples.text("a", 1, "one"));
    add(0, Samples.text("a", 2, "two"));
    add(0, Samples.text("a", 1, "one")); // seen again: now 2 is the oldest
    add(0, Samples.text("a", 3, "three"));
    add(0, Samples.text("a", 1, "one"));
    add(0, Samples.text("a", 2, "two"));

    assertThat(texts(reader)).containsExactly("a 1 one", "a 2 two", "a 3 three", "a 2 two");
  }

  @Test
  void reportsTheWantedStreamsOnly() {
    TextEventReader reader = reader(OPTIONS.streams(Set.of("b")), 1);
    add(0, Samples.text("a", 1, "one"));
    add(0, Samples.text("b", 1, "one"));

    assertThat(texts(reader)).containsExactly("b 1 one");
  }

  @Test
  void skipsAndCountsWhatIsNoTextEvent() {
    TextEventReader reader = reader(OPTIONS, 1);
    add(0, new byte[] {1, 2, 3});
    add(0, Samples.text("a", 1, "one"));

    assertThat(texts(reader)).containsExactly("a 1 one");
    assertThat(reader.skipped()).isEqualTo(1);
  }

  @Test
  void carriesHeadersAndPosition() {
    TextEventReader reader = reader(OPTIONS, 1);
    add(0, Samples.text("a", 1, "one"));

    ReceivedText received = reader.poll(Duration.ZERO).get(0);

    assertThat(received.headers()).isEqualTo(new EventHeaders(1, 2, 3, 4, 5, 6, 7));
    assertThat(received.partition()).isZero();
    assertThat(received.offset()).isZero();
  }

  @Test
  void startsAtTheEndWhenAskedTo() {
    nextOffset[0] = 7;
    TextEventReader reader = reader(OPTIONS.start(new TextReaderOptions.FromEnd()), 1);
    add(0, Samples.text("a", 1, "one"));

    assertThat(reader.poll(Duration.ZERO)).extracting(ReceivedText::offset).containsExactly(7L);
  }

  @Test
  void goesOnWhereAnotherReaderWas() {
    TextEventReader first = reader(OPTIONS, 2);
    add(0, Samples.text("a", 1, "one"));
    add(0, Samples.text("a", 2, "two"));
    assertThat(texts(first)).hasSize(2);

    Map<Integer, Long> positions = first.positions();
    assertThat(positions).containsExactly(Map.entry(0, 2L), Map.entry(1, 0L));

    MockConsumer<byte[], byte[]> fresh = new MockConsumer<>("earliest");
    TextEventReader next = goOn(fresh, new TextReaderOptions.FromPositions(Map.of(0, 1L)));
    assertThat(next.positions())
        .as("partition 1 is not named: from the beginning")
        .containsExactly(Map.entry(0, 1L), Map.entry(1, 0L));
  }

  private TextEventReader goOn(MockConsumer<byte[], byte[]> fresh, TextReaderOptions.Start start) {
    fresh.updatePartitions("text", consumer.partitionsFor("text"));
    fresh.updateBeginningOffsets(
        Map.of(new TopicPartition("text", 0), 0L, new TopicPartition("text", 1), 0L));
    return new TextEventReader(fresh, OPTIONS.start(start), nanos::get);
  }

  @Test
  void hasNoPositionsOnceClosed() {
    TextEventReader reader = reader(OPTIONS, 1);
    reader.close();

    assertThatThrownBy(reader::positions).hasMessageContaining("closed");
  }

  @Test
  void takesInPartitionsThatAreAddedLater() {
    TextEventReader reader = reader(OPTIONS, 1);
    declare(2);
    nanos.addAndGet(Duration.ofSeconds(11).toNanos());
    consumer.schedulePollTask(() -> add(1, Samples.text("b", 1, "one")));

    assertThat(texts(reader)).containsExactly("b 1 one");
  }

  @Test
  void saysThatATopicIsMissing() {
    consumer.updatePartitions("other", List.of());

    assertThatThrownBy(() -> new TextEventReader(consumer, OPTIONS, nanos::get))
        .isInstanceOf(TextReadException.class)
        .hasMessageContaining("no topic text at localhost:1");
  }

  @Test
  @Timeout(20)
  void saysWithinItsTimeoutThatNoBrokerAnswers() {
    assertThatThrownBy(
            () ->
                TextEventReader.open(
                    TextReaderOptions.of("127.0.0.1:1", "text").timeout(Duration.ofMillis(300))))
        .isInstanceOf(TextReadException.class)
        .hasMessageContaining("127.0.0.1:1")
        .hasMessageContaining("within 300 ms")
        .hasMessageContaining("is the broker running");
  }

  @Test
  void saysThatAnAddressIsNoAddress() {
    assertThatThrownBy(() -> TextEventReader.open(TextReaderOptions.of("no port", "text")))
        .isInstanceOf(TextReadException.class)
        .hasMessageContaining("no port");
  }

  @Test
  void returnsNothingOnceClosed() {
    TextEventReader reader = reader(OPTIONS, 1);
    add(0, Samples.text("a", 1, "one"));

    reader.close();
    reader.close();

    assertThat(reader.poll(Duration.ZERO)).isEmpty();
    assertThat(consumer.closed()).isTrue();
  }

  private TextEventReader reader(TextReaderOptions options, int partitions) {
    declare(partitions);
    return new TextEventReader(consumer, options, nanos::get);
  }

  private void declare(int count) {
    Node node = new Node(1, "localhost", 1);
    Node[] nodes = {node};
    consumer.updatePartitions(
        "text",
        IntStream.range(0, count)
            .mapToObj(i -> new PartitionInfo("text", i, node, nodes, nodes))
            .toList());
    for (int i = 0; i < count; i++) {
      TopicPartition partition = new TopicPartition("text", i);
      consumer.updateBeginningOffsets(Map.of(partition, 0L));
      consumer.updateEndOffsets(Map.of(partition, nextOffset[i]));
    }
  }

  private void add(int partition, TextEvent event) {
    add(partition, WireFormat.encode(event));
  }

  private void add(int partition, byte[] value) {
    RecordHeaders headers = new RecordHeaders();
    new EventHeaders(1, 2, 3, 4, 5, 6, 7).toMap().forEach(headers::add);
    consumer.addRecord(
        new ConsumerRecord<>(
            "text",
            partition,
            nextOffset[partition]++,
            99,
            TimestampType.CREATE_TIME,
            0,
            value.length,
            new byte[0],
            value,
            headers,
            Optional.empty()));
  }

  private static List<String> texts(TextEventReader reader) {
    return reader.poll(Duration.ZERO).stream()
        .map(ReceivedText::event)
        .map(event -> event.getStreamId() + " " + event.getChunk() + " " + event.getText())
        .toList();
  }
}
