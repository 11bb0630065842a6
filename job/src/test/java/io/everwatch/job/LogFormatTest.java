// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.ConfigurationFactory;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;
import org.apache.logging.log4j.util.SortedArrayStringMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both log configurations write JSON lines that a collector can read, and lines for people. */
class LogFormatTest {
  private static final String CLUSTER = "../deploy/conf/log4j2.properties";
  private static final String COMMAND_LINE = "src/main/resources/log4j2.properties";

  private static String line(String file, String appender, LogEvent event) {
    try (LoggerContext context = new LoggerContext("test")) {
      URI source = Path.of(file).toUri();
      Configuration read =
          ConfigurationFactory.getInstance().getConfiguration(context, "test", source);
      read.initialize();
      return new String(
          read.<org.apache.logging.log4j.core.Appender>getAppender(appender)
              .getLayout()
              .toByteArray(event),
          StandardCharsets.UTF_8);
    }
  }

  private static Log4jLogEvent.Builder event(Map<String, String> about) {
    SortedArrayStringMap context = new SortedArrayStringMap();
    about.forEach(context::putValue);
    return Log4jLogEvent.newBuilder()
        .setLoggerName("io.everwatch.Some")
        .setThreadName("understand (1/2)#0")
        .setLevel(Level.WARN)
        .setTimeMillis(1_767_225_600_123L)
        .setContextData(context)
        .setMessage(new SimpleMessage("a \"quoted\" word,\na second line"));
  }

  @ParameterizedTest
  @ValueSource(strings = {CLUSTER, COMMAND_LINE})
  void aJsonLineCarriesJobStreamChunkAndException(String file) throws Exception {
    String line =
        line(
            file,
            "json",
            event(Map.of("stream", "gate \"1\"", "chunk", "17", "flink-job-id", "0a1b"))
                .setThrown(new IllegalStateException("broken"))
                .build());

    assertThat(line.strip().lines()).as(line).hasSize(1);
    JsonNode json = new JsonMapper().readTree(line);
    assertThat(json.path("time").asText()).isEqualTo("2026-01-01T00:00:00.123Z");
    assertThat(json.path("level").asText()).isEqualTo("WARN");
    assertThat(json.path("logger").asText()).isEqualTo("io.everwatch.Some");
    assertThat(json.path("thread").asText()).isEqualTo("understand (1/2)#0");
    assertThat(json.path("job").asText()).isEqualTo("0a1b");
    assertThat(json.path("stream").asText()).isEqualTo("gate \"1\"");
    assertThat(json.path("chunk").isIntegralNumber()).isTrue();
    assertThat(json.path("chunk").asLong()).isEqualTo(17);
    assertThat(json.path("message").asText()).isEqualTo("a \"quoted\" word,\na second line");
    assertThat(json.path("exception").asText()).contains("IllegalStateException: broken", "\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {CLUSTER, COMMAND_LINE})
  void aJsonLineLeavesOutWhatIsNotKnown(String file) throws Exception {
    JsonNode json = new JsonMapper().readTree(line(file, "json", event(Map.of()).build()));

    assertThat(json.fieldNames())
        .toIterable()
        .containsExactly("time", "level", "logger", "thread", "message");
  }

  @ParameterizedTest
  @ValueSource(strings = {CLUSTER, COMMAND_LINE})
  void aLineForPeopleNamesStreamAndChunk(String file) {
    assertThat(line(file, "text", event(Map.of("stream", "gate", "chunk", "17")).build()))
        .contains("WARN  Some [gate chunk 17] a \"quoted\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {CLUSTER, COMMAND_LINE})
  void aStreamCannotForgeALine(String file) {
    assertThat(line(file, "text", event(Map.of("stream", "a\n12:00 ERROR b")).build()).lines())
        .hasSize(1);
  }
}
