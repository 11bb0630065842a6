// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.broker.Brokers;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.job.replay.Bound;
import io.everwatch.job.replay.Replay;
import io.everwatch.job.replay.ReplayLine;
import io.everwatch.job.replay.ReplayOptions;
import io.everwatch.job.replay.ReplayReport;
import io.everwatch.job.topology.CheckpointContents;
import io.everwatch.operators.flink.StreamSummary;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.Unmatched;

/** {@code everwatch replay}: whether text really follows from the frames. */
@Command(
    name = "replay",
    description =
        "Run an interval of a stream again, from a checkpoint and the frames that are still kept, and"
            + " compare with the text topic byte for byte. Exit code 1 when something differs. Writes"
            + " nothing; the job may run meanwhile. Keys of the configuration are options as well.",
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--checkpoint",
      required = true,
      paramLabel = "DIR",
      description = "Directory chk-… or savepoint-…, a path or a URI.")
  private String checkpoint = "";

  @Option(names = "--stream", paramLabel = "ID", description = "The stream.")
  private @Nullable String stream;

  @Option(
      names = "--from",
      paramLabel = "CHUNK|TIME",
      converter = BoundConverter.class,
      description =
          "First chunk, or a capture time with zone (default: where the checkpoint stands).")
  private @Nullable Bound from;

  @Option(
      names = "--to",
      paramLabel = "CHUNK|TIME",
      converter = BoundConverter.class,
      description = "Last chunk, or a capture time with zone (default: the last in the topic).")
  private @Nullable Bound to;

  @Option(
      names = "--list",
      description = "Print the streams of the checkpoint, where each stands, and the offsets; end.")
  private boolean list;

  @Option(names = "--config", paramLabel = "FILE", description = "YAML of the job, as for run.")
  private @Nullable Path file;

  @Option(
      names = "--connect-timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "10s",
      description = "How long to wait for the broker's answers (default: ${DEFAULT-VALUE}).")
  private Duration connectTimeout = Duration.ofSeconds(10);

  @Option(
      names = "--json",
      description = "One JSON object per event, and {\"summary\": …} at the end.")
  private boolean json;

  @Unmatched private List<String> overrides = new ArrayList<>();

  private final JsonMapper mapper = new JsonMapper();

  /** For the command line. */
  static final class BoundConverter implements ITypeConverter<Bound> {
    @Override
    public Bound convert(String text) {
      try {
        return Bound.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  @Override
  public Integer call() throws Exception {
    EverwatchConfig config = EverwatchConfig.load(Optional.ofNullable(file), overrides);
    try (TemporaryDirectory temporary = new TemporaryDirectory("everwatch-replay")) {
      if (list) {
        print(Replay.list(config, checkpoint, temporary.path()));
        return ExitCodes.OK;
      }
      return replay(config, temporary.path());
    }
  }

  private int replay(EverwatchConfig config, Path temporary) throws Exception {
    if (stream == null) {
      throw new ParameterException(
          spec.commandLine(), "Which stream? Give --stream ID, or --list to see them.");
    }
    Brokers.requireReachable(new HashMap<>(config.kafkaProperties()), connectTimeout);
    PrintWriter out = spec.commandLine().getOut();
    ReplayReport report =
        Replay.run(
            new ReplayOptions(
                config,
                checkpoint,
                stream,
                Optional.ofNullable(from),
                Optional.ofNullable(to),
                temporary,
                connectTimeout),
            line -> print(line, out));
    if (json) {
      out.println(node("summary", report));
    } else {
      report.notes().forEach(out::println);
      out.println(
          String.format(
              Locale.ROOT,
              "stream %s, chunks %,d to %,d: %,d of %,d events are equal, %,d commands given again",
              report.streamId(),
              report.firstChunk(),
              report.lastChunk(),
              report.agreeing(),
              report.compared(),
              report.commands()));
    }
    out.flush();
    return report.equal() ? ExitCodes.OK : ExitCodes.FAILURE;
  }

  private void print(ReplayLine line, PrintWriter out) {
    out.println(json ? mapper.valueToTree(line).toString() : line.line());
    out.flush();
  }

  private ObjectNode node(String name, Object value) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set(name, mapper.valueToTree(value));
    return node;
  }

  private void print(CheckpointContents contents) {
    PrintWriter out = spec.commandLine().getOut();
    for (StreamSummary one : contents.streams()) {
      out.println(json ? mapper.valueToTree(Listed.of(one)).toString() : Listed.of(one).line());
    }
    offsets("frames", contents.frames(), out);
    offsets("commands", contents.commands(), out);
    out.flush();
  }

  private void offsets(String name, Map<TopicPartition, Long> offsets, PrintWriter out) {
    offsets.entrySet().stream()
        .filter(one -> one.getValue() >= 0) // else nothing was read: a mark of where to begin
        .sorted(Comparator.comparing(one -> one.getKey().partition()))
        .forEach(
            one ->
                out.println(
                    json
                        ? node(
                                name,
                                Map.of(
                                    "topic", one.getKey().topic(),
                                    "partition", one.getKey().partition(),
                                    "nextOffset", one.getValue()))
                            .toString()
                        : "%s: %s partition %d is read from offset %d"
                            .formatted(
                                name,
                                one.getKey().topic(),
                                one.getKey().partition(),
                                one.getValue())));
  }

  /** A stream as it is printed. */
  record Listed(
      String streamId,
      int spread,
      long nextChunk,
      String time,
      int waiting,
      long lastFrameOffset,
      int framesPartition,
      String model,
      String numerics) {
    static Listed of(StreamSummary stream) {
      return new Listed(
          stream.key().streamId(),
          stream.key().spread(),
          stream.nextChunk(),
          Instant.ofEpochSecond(0, Math.multiplyExact(stream.endMicros(), 1000)).toString(),
          stream.waiting(),
          stream.lastFrame().map(frame -> frame.offset()).orElse(-1L),
          stream.lastFrame().map(frame -> frame.partition()).orElse(-1),
          stream.model(),
          stream.numerics());
    }

    String line() {
      return "stream %s stands before chunk %d (%s), %d turns wait; last frame: partition %d offset %d; model %.16s, numerics %.16s"
          .formatted(
              streamId,
              nextChunk,
              time,
              waiting,
              framesPartition,
              lastFrameOffset,
              model,
              numerics);
    }
  }
}
