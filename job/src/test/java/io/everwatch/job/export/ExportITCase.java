// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.broker.EmbeddedBroker;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.captions.SubtitleFile;
import io.everwatch.job.captions.SubtitleFile.Cue;
import io.everwatch.job.cli.Everwatch;
import io.everwatch.job.cli.ExitCodes;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.SourceRange;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Intervals of a real topic. */
@Timeout(120)
class ExportITCase {
  private static final Instant NINE = Instant.parse("2024-03-05T09:00:00Z");

  @TempDir private static Path brokerDir;
  private static EmbeddedBroker broker;

  @TempDir private Path dir;
  private String topic = "";
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeAll
  static void startBroker() throws Exception {
    broker = EmbeddedBroker.start(brokerDir);
  }

  @AfterAll
  static void stopBroker() throws Exception {
    broker.close();
  }

  @BeforeEach
  void makeTopic(TestInfo test) throws Exception {
    topic = "text." + test.getTestMethod().orElseThrow().getName();
    try (Admin admin = Admin.create(broker.clientProperties())) {
      admin
          .createTopics(
              List.of(new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "-1"))))
          .all()
          .get();
    }
  }

  /** A record: what was said, and when it was written. */
  private record Written(TextEvent event, Instant at) {}

  private static TextEvent said(String stream, Instant began, long chunk, String text) {
    return WireFormat.newTextEvent()
        .setStreamId(stream)
        .setBeganMicros(Interval.micros(began))
        .setChunk(chunk)
        .setKind(text.isEmpty() ? TextKind.SILENCE : TextKind.COMMENT)
        .setStartMicros(Interval.micros(began.plusSeconds(chunk)))
        .setEndMicros(Interval.micros(began.plusSeconds(chunk + 1)))
        .setSources(List.of(new SourceRange(TopicNames.FRAMES, 0, 2 * chunk, 2 * chunk + 1)))
        .setText(text)
        .build();
  }

  /** A comment each second, written two seconds after it was captured. */
  private static List<Written> regular(String stream, Instant began, int seconds) {
    return IntStream.range(0, seconds)
        .mapToObj(
            i ->
                new Written(
                    said(stream, began, i, " %s %d.".formatted(stream, i)),
                    began.plusSeconds(i + 2)))
        .toList();
  }

  private void write(List<Written> records) throws Exception {
    write(records, null, true);
  }

  private void write(List<Written> records, @Nullable String transaction, boolean commit)
      throws Exception {
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    if (transaction != null) {
      properties.put("transactional.id", transaction);
    }
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      if (transaction != null) {
        producer.initTransactions();
        producer.beginTransaction();
      }
      for (Written one : records) {
        String stream = one.event.getStreamId();
        var unused = // flushed below
            producer.send(
                new ProducerRecord<>(
                    topic,
                    stream.startsWith("a") ? 0 : 1,
                    one.at.toEpochMilli(),
                    stream.getBytes(StandardCharsets.UTF_8),
                    WireFormat.encode(one.event)));
      }
      producer.flush();
      if (transaction != null && commit) {
        producer.commitTransaction();
      } else if (transaction != null) {
        producer.abortTransaction();
      }
    }
  }

  private final List<TextEvent> found = new ArrayList<>();

  private ExportReport find(String from, String to, Duration margin, String... streams) {
    return find(from, to, margin, true, streams);
  }

  private ExportReport find(
      String from, String to, Duration margin, boolean committed, String... streams) {
    found.clear();
    return TextExport.run(
        new ExportOptions(
            new HashMap<>(broker.clientProperties()),
            topic,
            Set.of(streams),
            new Interval(time(from), time(to)),
            committed,
            margin,
            Duration.ofSeconds(10)),
        found::add,
        line -> {});
  }

  private static Optional<Instant> time(String text) {
    return text.isEmpty()
        ? Optional.empty()
        : Optional.of(Instant.parse("2024-03-05T" + text + "Z"));
  }

  private List<Long> chunks() {
    return found.stream().map(TextEvent::getChunk).toList();
  }

  private static List<Long> range(long from, long to) {
    return Stream.iterate(from, i -> i <= to, i -> i + 1).toList();
  }

  @Test
  void readsTheIntervalAndLittleElse() throws Exception {
    write(regular("a", NINE, 6000));
    write(regular("b", NINE, 6000));

    ExportReport report = find("09:30:00", "09:31:00", Duration.ofMinutes(1), "b");

    assertThat(chunks()).isEqualTo(range(1800, 1859));
    assertThat(report.events()).isEqualTo(60);
    assertThat(report.records())
        .as("three minutes of each partition, not 200 of all")
        .isBetween(60L, 400L);
  }

  @Test
  void withoutBoundsItIsAllThatIsKept() throws Exception {
    write(regular("a", NINE, 30));
    write(regular("b", NINE, 20));

    ExportReport report = find("", "", Duration.ofHours(1));

    assertThat(report).isEqualTo(new ExportReport(2, 50, 50, 0));
  }

  @Test
  void goesOnWhileAStreamIsBehind() throws Exception {
    List<Written> late = new ArrayList<>(regular("a", NINE, 60));
    for (int i = 60; i < 200; i++) { // an outage of two hours
      late.add(new Written(said("a", NINE, i, " late."), NINE.plusSeconds(7200 + i / 10)));
    }
    write(late);

    ExportReport report = find("09:00:30", "09:02:00", Duration.ofMinutes(1), "a");

    assertThat(chunks()).isEqualTo(range(30, 119));
    assertThat(report.records()).as("no further than needed").isLessThan(125);
  }

  @Test
  void findsWhatACameraWithAClockAheadSaid() throws Exception {
    write(
        IntStream.range(0, 300)
            .mapToObj(i -> new Written(said("a", NINE, i, " x."), NINE.plusSeconds(i - 1800)))
            .toList());

    find("09:01:00", "09:02:00", Duration.ofHours(1), "a");

    assertThat(chunks()).isEqualTo(range(60, 119));
  }

  @Test
  void findsARecordingThatWasPublishedADayLater() throws Exception {
    write(regular("b", NINE.minus(Duration.ofDays(1)), 100));
    write(
        IntStream.range(0, 300)
            .mapToObj(
                i -> new Written(said("a", NINE, i, " x."), NINE.plusSeconds(86_400 + i / 30)))
            .toList());

    find("09:01:00", "09:02:00", Duration.ofMinutes(5), "a");

    assertThat(chunks()).isEqualTo(range(60, 119));
  }

  @Test
  void aClipThatWasPublishedTwiceIsThereTwice() throws Exception {
    TextEvent end =
        WireFormat.newTextEvent()
            .setStreamId("a")
            .setBeganMicros(Interval.micros(NINE))
            .setChunk(10)
            .setSubject("ended")
            .setKind(TextKind.ENDED)
            .setStartMicros(Interval.micros(NINE.plusSeconds(10)))
            .setEndMicros(Interval.micros(NINE.plusSeconds(10)))
            .setSources(List.of(new SourceRange(TopicNames.FRAMES, 0, 20L, 20L)))
            .build();
    List<Written> all = new ArrayList<>(regular("a", NINE, 10));
    all.add(new Written(end, NINE.plusSeconds(12)));
    for (Written one : regular("a", NINE, 10)) {
      long chunk = one.event.getChunk();
      TextEvent again =
          TextEvent.newBuilder(one.event)
              .setSources(
                  List.of(new SourceRange(TopicNames.FRAMES, 0, 21 + 2 * chunk, 22 + 2 * chunk)))
              .build();
      all.add(new Written(again, one.at.plusSeconds(60)));
    }
    write(all);

    find("09:00:00", "09:00:05", Duration.ofHours(1), "a");

    assertThat(chunks())
        .isEqualTo(Stream.concat(range(0, 4).stream(), range(0, 4).stream()).toList());
  }

  @Test
  void whatWasAbortedIsSaidOnceAndWhatIsOpenOnlyLive() throws Exception {
    List<Written> records = regular("a", NINE, 10);
    write(records.subList(0, 5), "one", false);
    write(records.subList(0, 5), "two", true);

    assertThat(find("09:00:00", "09:01:00", Duration.ofHours(1), "a").events()).isEqualTo(5);
    assertThat(find("09:00:00", "09:01:00", Duration.ofHours(1), false, "a").events()).isEqualTo(5);
  }

  // --- the command ---

  private int export(String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "export",
                "--brokers",
                String.valueOf(broker.clientProperties().get("bootstrap.servers")),
                "--text-topic",
                topic));
    line.addAll(List.of(more));
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Everwatch.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(line.toArray(String[]::new));
  }

  @Test
  void writesSubtitlesOfAnIntervalAndOfAClip() throws Exception {
    write(regular("a", NINE, 20));
    Path file = dir.resolve("a.srt");

    assertThat(
            export(
                "--stream=a",
                "--from=2024-03-05T10:00:05+01:00",
                "--to=2024-03-05T09:00:08Z",
                "--format=srt",
                "--output=" + file))
        .isEqualTo(ExitCodes.OK);
    assertThat(SubtitleFile.read(file))
        .containsExactly(
            new Cue(0, 1000, "a 5."), new Cue(1000, 2000, "a 6."), new Cue(2000, 3000, "a 7."));
    assertThat(err.toString()).contains("1 streams, 3 events, 1 files");

    export("--stream=a", "--from=2024-03-05T09:00:18Z", "--relative", "--output=" + file);
    assertThat(SubtitleFile.read(file))
        .as("in the place of the file before, as the clip plays")
        .containsExactly(new Cue(18_000, 19_000, "a 18."), new Cue(19_000, 24_000, "a 19."));
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).as("nothing else is left").containsExactly(file);
    }
  }

  @Test
  void writesAFileForEachStream() throws Exception {
    write(regular("a/../gate", NINE, 5));
    write(regular("b", NINE, 5));
    Path folder = dir.resolve("captions");

    assertThat(export("--format=vtt", "--output=" + folder + "/")).isEqualTo(ExitCodes.OK);

    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("a%2f..%2fgate.vtt", "b.vtt");
    }
    assertThat(SubtitleFile.read(folder.resolve("b.vtt"))).hasSize(5);
  }

  @Test
  void writesTextAndJsonToStandardOutput() throws Exception {
    write(regular("a", NINE, 3));

    export("--format=text");
    assertThat(out.toString().lines())
        .containsExactly(
            "2024-03-05T09:00:00.000Z  a  a 0.",
            "2024-03-05T09:00:01.000Z  a  a 1.",
            "2024-03-05T09:00:02.000Z  a  a 2.");
    export("--format=text", "--relative", "--stream=a");
    assertThat(out.toString().lines()).contains("00:00:02.000  a  a 2.");
    export("--format=json");
    assertThat(out.toString().lines())
        .hasSize(3)
        .allMatch(line -> line.startsWith("{\"streamId\""));
  }

  @Test
  void saysWhatThereIsWhenNothingIsFound() throws Exception {
    write(regular("a-door", NINE, 30));
    write(regular("b-yard", NINE, 30));
    Path file = dir.resolve("a.vtt");
    Files.writeString(file, "of before");

    assertThat(export("--stream=a-dor", "--output=" + file)).isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString())
        .contains(
            "there is no stream 'a-dor'", "expected one of those in it, such as a-door, b-yard");
    assertThat(export("--stream=a-door", "--from=2024-03-05T12:00:00Z", "--output=" + file))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString())
        .contains(
            "nothing was said of stream 'a-door' from 2024-03-05T12:00:00Z to the newest",
            "kept is text from 2024-03-05T09:00:00Z to 2024-03-05T09:00:30Z");
    assertThat(Files.readString(file)).isEqualTo("of before");
    assertThat(export("--stream=a-door", "--output=" + dir.resolve("no/such/folder.vtt")))
        .isEqualTo(ExitCodes.FAILURE);
    assertThat(err.toString()).contains("there is no ", "check the path");
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).as("nothing half written").containsExactly(file);
    }
  }

  @Test
  void namesOfStreamsAreNoPaths() throws IOException {
    assertThat(ExportFiles.name("door-1.north_2")).isEqualTo("door-1.north_2");
    assertThat(ExportFiles.name("../../etc/passwd")).isEqualTo("%2e.%2f..%2fetc%2fpasswd");
    assertThat(ExportFiles.name("Straße %")).isEqualTo("Stra%c3%9fe%20%25");
    assertThat(ExportFiles.name("x".repeat(500)))
        .hasSizeLessThan(140)
        .isNotEqualTo(ExportFiles.name("x".repeat(501)));
  }
}
