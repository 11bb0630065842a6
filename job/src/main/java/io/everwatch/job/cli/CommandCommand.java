// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.schemas.TextReaderOptions;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.CommandEvent;
import io.everwatch.schemas.avro.CommandKind;
import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code everwatch command}: tells a running job what to do with a stream, and waits for its
 * answer.
 */
@Command(
    name = "command",
    description = "Start, stop, re-prompt, reset or adjust a stream of a running job.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class CommandCommand implements Callable<Integer> {
  /** How far back the answer to an ID that was sent before is looked for. */
  private static final Duration LOOK_BACK = Duration.ofHours(1);

  /** How the answer to a command begins that was not obeyed. */
  private static final String REFUSED = "refused: ";

  /** What may be ordered. */
  enum Action {
    START,
    STOP,
    PROMPT,
    RESET,
    SET
  }

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BrokerOptions brokers = new BrokerOptions();
  @Mixin private TopicOptions topics = new TopicOptions();

  @Option(names = "--stream", required = true, paramLabel = "ID", description = "Which stream.")
  private String stream = "";

  @Option(
      names = "--id",
      paramLabel = "ID",
      description =
          "Of the command; the same ID is obeyed and answered once, and a repetition prints that"
              + " answer (default: a random one).")
  private @Nullable String id;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "30s",
      description = "How long to wait for the answer (default: ${DEFAULT-VALUE}).")
  private Duration timeout = Duration.ofSeconds(30);

  @Parameters(index = "0", paramLabel = "start|stop|prompt|reset|set", description = "What to do.")
  private @Nullable Action action;

  @Parameters(
      index = "1..*",
      paramLabel = "TEXT|KEY=VALUE",
      description =
          "prompt: the instruction. start, set: settings such as temperature=0.5,"
              + " fps=4, overload=live.")
  private List<String> arguments = new ArrayList<>();

  @Override
  public Integer call() throws InterruptedException {
    CommandEvent command = command();
    brokers.requireReachable();
    try (CommandAnswer answer = new CommandAnswer(command.getCommandId(), options())) {
      send(command);
      Optional<TextEvent> now = answer.await(timeout);
      if (now.isPresent()) {
        return report(now.get(), "");
      }
      if (id != null) {
        Optional<TextEvent> before = answer.since(Instant.now().minus(LOOK_BACK), timeout);
        if (before.isPresent()) {
          return report(before.get(), " (the answer of before: an ID is obeyed once)");
        }
      }
    }
    throw new CliException(
        "no answer to command %s within %d s; it stays on the topic and takes effect when the job reads it; is the job running? watch with: everwatch watch --brokers %s --stream %s"
            .formatted(command.getCommandId(), timeout.toSeconds(), brokers.brokers(), stream));
  }

  private int report(TextEvent answer, String remark) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        "%s before chunk %d: %s%s"
            .formatted(answer.getStreamId(), answer.getChunk(), answer.getText(), remark));
    out.flush();
    return answer.getText().startsWith(REFUSED) ? ExitCodes.FAILURE : ExitCodes.OK;
  }

  private CommandEvent command() {
    Action wanted = Optional.ofNullable(action).orElseThrow(); // picocli saw to it
    String text = "";
    Map<String, String> settings = Map.of();
    switch (wanted) {
      case PROMPT -> {
        text = String.join(" ", arguments);
        if (text.isBlank()) {
          throw usage("prompt needs the new instruction, such as: prompt 'Watch the gate.'");
        }
      }
      case START -> settings = settings();
      case SET -> {
        settings = settings();
        if (settings.isEmpty()) {
          throw usage("set needs settings, such as: set temperature=0.5 seed=7");
        }
      }
      case STOP, RESET -> {
        if (!arguments.isEmpty()) {
          throw usage("%s takes nothing more, not %s".formatted(wanted, arguments));
        }
      }
    }
    return WireFormat.newCommandEvent()
        .setCommandId(id == null ? UUID.randomUUID().toString() : id)
        .setStreamId(stream)
        .setKind(CommandKind.valueOf(wanted.name()))
        .setSettings(settings)
        .setText(text)
        .setIssuedMicros(ChronoUnit.MICROS.between(Instant.EPOCH, Clock.systemUTC().instant()))
        .build();
  }

  private Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String argument : arguments) {
      int at = argument.indexOf('=');
      if (at < 1 || settings.put(argument.substring(0, at), argument.substring(at + 1)) != null) {
        throw usage(
            "'%s' is no setting, or one given twice; expected KEY=VALUE".formatted(argument));
      }
    }
    return settings;
  }

  private void send(CommandEvent command) throws InterruptedException {
    Map<String, Object> client = new HashMap<>(brokers.clientProperties());
    client.putIfAbsent("acks", "all");
    client.putIfAbsent("delivery.timeout.ms", Math.toIntExact(timeout.toMillis()) + 1000);
    client.putIfAbsent("request.timeout.ms", Math.toIntExact(timeout.toMillis()));
    client.putIfAbsent("max.block.ms", timeout.toMillis());
    String topic = topics.names().commands();
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(client, new StringSerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(topic, stream, WireFormat.encode(command))).get();
    } catch (ExecutionException e) {
      throw new CliException(
          "the command was not taken by topic %s: %s; is there such a topic (everwatch topics)?"
              .formatted(topic, Problems.describe(e.getCause() == null ? e : e.getCause())),
          e);
    }
  }

  private TextReaderOptions options() {
    return TextReaderOptions.of(brokers.brokers(), topics.names().text())
        .streams(Set.of(stream))
        .timeout(brokers.connectTimeout())
        .client(brokers.properties());
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
