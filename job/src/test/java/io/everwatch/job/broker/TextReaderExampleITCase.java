// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.everwatch.job.process.Await;
import io.everwatch.job.process.JvmProcess;
import io.everwatch.schemas.TextEventReader;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextKind;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.apache.avro.Schema;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** docs/examples/text-reader, compiled and run with nothing but what its pom names. */
@Timeout(120)
class TextReaderExampleITCase {
  private static final Path EXAMPLE = Path.of("..", "docs", "examples", "text-reader");
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir private Path dir;
  private EmbeddedBroker broker;
  private Path classes;

  @BeforeEach
  void open() throws Exception {
    classes = Files.createDirectories(dir.resolve("classes"));
    compile();
    broker = EmbeddedBroker.start(dir.resolve("kafka"));
    Topics.create(broker.clientProperties(), TopicNames.defaults(), TopicLimits.of(2));
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void printsCommittedTextOnceOfTheStreamsAskedForAndStopsCleanly() throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer();
        JvmProcess example =
            example(broker.address(), "--committed", "--from-beginning", "gate", "yard")) {
      producer.initTransactions();
      producer.beginTransaction();
      write(producer, "gate", 0, "Aborted.");
      producer.abortTransaction();
      producer.beginTransaction();
      write(producer, "gate", 0, "A red car.");
      write(producer, "street", 0, "Nothing.");
      write(producer, "yard", 0, "A cyclist.");
      producer.commitTransaction();

      example.start();
      awaitLines(example, 2);
      example.stop(); // as Ctrl-C

      assertThat(lines(example))
          .contains(
              "1970-01-01T00:00:00Z gate COMMENT A red car.",
              "1970-01-01T00:00:00Z yard COMMENT A cyclist.")
          .hasSize(3)
          .last()
          .isEqualTo("stopped after 2 events");
    }
  }

  @Test
  void printsLiveTextBeforeItIsCommitted() throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer();
        JvmProcess example = example(broker.address(), "--from-beginning")) {
      producer.initTransactions();
      producer.beginTransaction();
      write(producer, "gate", 0, "A red car.");
      example.start();
      awaitLines(example, 1);
      producer.abortTransaction(); // the job crashes, and says it again
      producer.beginTransaction();
      write(producer, "gate", 0, "A red car.");
      write(producer, "gate", 1, "It turns left.");
      producer.commitTransaction();
      awaitLines(example, 2);

      assertThat(lines(example))
          .containsExactly(
              "1970-01-01T00:00:00Z gate COMMENT A red car.",
              "1970-01-01T00:00:01Z gate COMMENT It turns left.");
    }
  }

  @Test
  void saysWhatIsMissingAndEnds() throws Exception {
    try (JvmProcess example = example("localhost:1")) {
      example.start();
      Await.until("its end", LIMIT, () -> !example.isAlive(), () -> example.tail(20));

      assertThat(example.exitValue()).isEqualTo(1);
      assertThat(lines(example)).anySatisfy(line -> assertThat(line).contains("no answer about"));
    }
  }

  @Test
  void namesTheVersionsOfTheBuild() throws IOException {
    String root = Files.readString(Path.of("..", "pom.xml"));
    String own = Files.readString(EXAMPLE.resolve("pom.xml"));

    assertThat(versionOf("everwatch-schemas", own)).isEqualTo(versionOf("everwatch-parent", root));
    assertThat(versionOf("kafka-clients", own)).isEqualTo(property("dep.kafka.version", root));
    assertThat(versionOf("slf4j-simple", own)).isEqualTo(property("dep.slf4j.version", root));
  }

  private static String versionOf(String artifact, String pom) {
    return find("<artifactId>" + artifact + "</artifactId>\\s*<version>([^<]+)</version>", pom);
  }

  private static String property(String name, String pom) {
    return find("<" + name + ">([^<]+)</" + name + ">", pom);
  }

  private static String find(String pattern, String text) {
    Matcher found = Pattern.compile(pattern).matcher(text);
    assertThat(found.find()).as(pattern).isTrue();
    return found.group(1);
  }

  private void compile() throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of("--release", "17", "-Xlint:all", "-Werror", "-d", classes.toString()));
    arguments.addAll(List.of("-cp", libraries()));
    try (Stream<Path> sources = Files.walk(EXAMPLE.resolve("src/main/java"))) {
      sources.map(Path::toString).filter(name -> name.endsWith(".java")).forEach(arguments::add);
    }
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, System.err, System.err, arguments.toArray(String[]::new));
    assertThat(status).as("compiling the example; see stderr").isZero();
  }

  /** What Maven resolves for its pom, but for the log. */
  private static String libraries() throws ClassNotFoundException {
    return Stream.of(
            TextEventReader.class,
            Schema.class,
            ObjectMapper.class,
            JsonFactory.class,
            JsonProperty.class,
            // By name: to compile against this one asks for annotations that nobody has.
            Class.forName("org.apache.commons.compress.utils.IOUtils"),
            KafkaProducer.class,
            Logger.class)
        .map(TextReaderExampleITCase::place)
        .distinct()
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static String place(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private JvmProcess example(String... arguments) throws ClassNotFoundException {
    List<String> command =
        new ArrayList<>(
            List.of("-cp", libraries() + File.pathSeparator + classes, "example.PrintText"));
    command.addAll(Arrays.asList(arguments));
    return new JvmProcess("example", dir, () -> command, Map.of());
  }

  private static void awaitLines(JvmProcess example, int count) throws Exception {
    Await.until(
        count + " lines", LIMIT, () -> lines(example).size() >= count, () -> example.tail(50));
  }

  /** What it printed, without what the log says that nobody asked for. */
  private static List<String> lines(JvmProcess example) throws IOException {
    return Files.readAllLines(example.log(), StandardCharsets.UTF_8).stream()
        .filter(line -> !line.startsWith("SLF4J"))
        .toList();
  }

  private static void write(
      KafkaProducer<byte[], byte[]> producer, String stream, long chunk, String text)
      throws Exception {
    byte[] value =
        WireFormat.encode(
            WireFormat.newTextEvent()
                .setStreamId(stream)
                .setChunk(chunk)
                .setKind(TextKind.COMMENT)
                .setStartMicros(chunk * 1_000_000)
                .setEndMicros((chunk + 1) * 1_000_000)
                .setText(text)
                .build());
    producer
        .send(new ProducerRecord<>(TopicNames.TEXT, stream.getBytes(StandardCharsets.UTF_8), value))
        .get();
  }

  private KafkaProducer<byte[], byte[]> producer() {
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("transactional.id", "example");
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
