// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import io.everwatch.job.process.Await;
import io.everwatch.job.wall.http.WallSecurity;
import io.everwatch.job.wall.http.WallServer;
import io.everwatch.schemas.EventHeaders;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The wall at a real broker. */
@Timeout(180)
class WallITCase {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  @TempDir private Path dir;
  private EmbeddedBroker broker;
  private @Nullable LiveWall live;
  private @Nullable WallServer server;
  private KafkaProducer<byte[], byte[]> producer;

  @BeforeEach
  void start() throws Exception {
    WireFormat.trustGeneratedClasses();
    broker = EmbeddedBroker.start(dir.resolve("kafka"));
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(1));
    producer =
        new KafkaProducer<>(
            broker.clientProperties(), new ByteArraySerializer(), new ByteArraySerializer());
  }

  @AfterEach
  void close() {
    if (server != null) {
      server.close();
    }
    if (live != null) {
      live.close();
    }
    producer.close(Duration.ZERO);
    broker.close();
  }

  private void serve(TopicNames topics) throws Exception {
    WallLimits limits = WallLimits.of(Duration.ofHours(1), 256 << 20);
    LiveWall wall =
        LiveWall.start(
            new WallOptions(
                broker.address(),
                Map.of(),
                topics,
                limits,
                /* frames= */ true,
                Optional.empty(),
                /* demo= */ false,
                10,
                "1.2.3"));
    live = wall;
    server =
        WallServer.start(
            live, new InetSocketAddress("localhost", 0), WallSecurity.local(), Optional.empty());
  }

  private long send(String topic, byte[] value) throws Exception {
    long now = System.currentTimeMillis();
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, 0, "gate".getBytes(StandardCharsets.UTF_8), value);
    new EventHeaders(now, now, now, now, now, now, now).toMap().forEach(record.headers()::add);
    return producer.send(record).get().offset();
  }

  private long frame(String stream, long sequence, byte[] picture) throws Exception {
    return send(
        TopicNames.FRAMES,
        WireFormat.encode(Told.frame(stream, sequence, FrameEncoding.JPEG, picture).build()));
  }

  private void says(long chunk, String text, long first, long last) throws Exception {
    long start = 1000 * Told.START_MILLIS + 1_000_000 * chunk;
    TextEvent event =
        WireFormat.newTextEvent()
            .setStreamId("gate")
            .setBeganMicros(1000 * Told.START_MILLIS)
            .setChunk(chunk)
            .setRound(chunk)
            .setKind(TextKind.COMMENT)
            .setStartMicros(start)
            .setEndMicros(start + 1_000_000)
            .setText(text)
            .setSources(List.of(new SourceRange(TopicNames.FRAMES, 0, first, last)))
            .build();
    send(TopicNames.TEXT, WireFormat.encode(event));
  }

  private HttpResponse<byte[]> get(String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create(Objects.requireNonNull(server).address() + path))
                .build(),
            BodyHandlers.ofByteArray());
  }

  /** Asks until the answer is as it should be. */
  private JsonNode await(String path, Predicate<JsonNode> enough) throws Exception {
    AtomicReference<JsonNode> last = new AtomicReference<>(NullNode.instance);
    Await.until(
        path + " as it should be",
        DEADLINE,
        () -> {
          last.set(new JsonMapper().readTree(get(path).body()));
          return enough.test(last.get());
        },
        () -> "it is " + last);
    return Objects.requireNonNull(last.get());
  }

  @Test
  void showsWhatTheTopicsTellAndFindsFramesAgain() throws Exception {
    byte[] first = PicturesTest.picture("JPEG", 64, 48);
    byte[] second = PicturesTest.picture("JPEG", 80, 60);
    long from = frame("gate", 0, first);
    frame("yard", 0, first); // of another stream, in between
    long to = frame("gate", 1, second);
    says(0, "A red car.", from, to);
    send(TopicNames.TEXT, new byte[] {1, 2, 3});
    send(
        TopicNames.DEAD_LETTERS,
        WireFormat.encode(
            WireFormat.newDeadLetter()
                .setTopic("frames")
                .setPartition(0)
                .setOffset(1)
                .setReason("LATE")
                .build()));
    serve(TopicNames.defaults());

    JsonNode stream = await("api/streams/gate", one -> one.path("committedChunk").asLong(-1) == 0);
    assertThat(stream.path("text").asText()).isEqualTo("A red car.");
    JsonNode job =
        await(
            "api/job",
            one ->
                one.at("/deadLetters/total").asLong() == 1
                    && one.at("/readers/text/skipped").asLong() == 1);
    assertThat(job.at("/deadLetters/reasons/0/reason").asText()).isEqualTo("LATE");
    assertThat(job.at("/readers/frames/connected").asBoolean()).isTrue();
    await("api/streams/gate", one -> one.at("/frame/sequence").asLong(-1) == 1);
    assertThat(get("api/streams/gate/frame").body()).isEqualTo(second);

    long start = 1000 * Told.START_MILLIS;
    assertThat(get("api/streams/gate/frames/" + (start + 100_000)).body()).isEqualTo(first);
    assertThat(get("api/streams/gate/frames/" + (start + 900_000)).body()).isEqualTo(second);
    assertThat(get("api/streams/gate/frames/" + (start - 1)).statusCode()).isEqualTo(404);
  }

  @Test
  void framesThatRetentionTookAreNotFoundAndTheTextStays() throws Exception {
    long at = frame("gate", 0, PicturesTest.picture("JPEG", 64, 48));
    says(0, "A red car.", at, at);
    frame("gate", 1, PicturesTest.picture("JPEG", 64, 48));
    try (Admin admin = Admin.create(broker.clientProperties())) {
      admin
          .deleteRecords(
              Map.of(
                  new TopicPartition(TopicNames.FRAMES, 0), RecordsToDelete.beforeOffset(at + 1)))
          .all()
          .get();
    }
    serve(TopicNames.defaults());
    await("api/streams/gate", one -> one.path("chunk").asLong(-1) == 0);

    HttpResponse<byte[]> answer = get("api/streams/gate/frames/" + 1000 * Told.START_MILLIS);

    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(new String(answer.body(), StandardCharsets.UTF_8)).contains("no longer kept");
  }

  @Test
  void aTopicThatIsNotThereKeepsNothingElseFromBeingShownAndABrokerMayComeBack() throws Exception {
    says(0, "A red car.", 0, 0);
    serve(new TopicNames("no-frames", TopicNames.TEXT, "no-letters", TopicNames.COMMANDS));

    await("api/streams/gate", one -> one.path("text").asText().equals("A red car."));
    JsonNode job = await("api/job", one -> !one.at("/readers/frames/problem").asText("").isEmpty());
    assertThat(job.at("/readers/frames/problem").asText()).contains("no-frames");
    assertThat(job.at("/readers/text/connected").asBoolean()).isTrue();

    int port = Integer.parseInt(broker.address().replaceAll(".*:", ""));
    broker.close();
    assertThat(get("api/streams/gate").statusCode()).as("while it is away").isEqualTo(200);
    broker = EmbeddedBroker.start(dir.resolve("kafka"), port);
    says(1, "A blue bus.", 0, 0);

    await("api/streams/gate", one -> one.path("text").asText().equals("A blue bus."));
    assertThat(await("api/streams/gate/texts", one -> true).path("texts")).hasSize(2);
  }
}
