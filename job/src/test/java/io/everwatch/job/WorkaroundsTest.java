// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.FrameEvent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.util.ClassSecurityValidator;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.kafka.clients.producer.internals.TransactionalRequestResult;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Each of these guards something that the build works around (design note {@code flink.md} 2, 8.1,
 * 9). If one fails after a version was raised, read its message before raising the expectation.
 */
class WorkaroundsTest {
  @Test
  void kafkaClientsStayBelow43() {
    int[] version =
        Arrays.stream(AppInfoParser.getVersion().split("\\."))
            .mapToInt(Integer::parseInt)
            .toArray();
    assertThat(version[0] * 100 + version[1])
        .as(
            "kafka-clients %s: the Flink connector 5.0 calls TransactionalRequestResult.await(),"
                + " which 4.3 removed; exactly-once fails at the first commit. Raise the connector"
                + " first.",
            AppInfoParser.getVersion())
        .isLessThan(403);
    assertThatCode(() -> TransactionalRequestResult.class.getMethod("await"))
        .as("what the connector calls")
        .doesNotThrowAnyException();
  }

  @Test
  void brokerAndClientInOneProcessHaveOneVersion() {
    assertThat(jarVersion("kafka.server.KafkaRaftServer", "kafka_2.13-"))
        .as("a broker of another version than the client's fails at its start, in the same process")
        .isEqualTo(AppInfoParser.getVersion());
  }

  @Test
  void connectorBaseIsThere() {
    assertThatCode(() -> Class.forName("org.apache.flink.connector.base.DeliveryGuarantee"))
        .as("flink-connector-base is only 'provided' in the connector's POM; name it ourselves")
        .doesNotThrowAnyException();
  }

  @Test
  void theConnectorsWriterHasTheAdminClientThatItForgets() {
    assertThatCode(
            () ->
                Class.forName("org.apache.flink.connector.kafka.sink.ExactlyOnceKafkaWriter")
                    .getDeclaredField("adminClient"))
        .as(
            "connector 5.0 never closes this client, and AbandonedAdmin does; if the field is gone,"
                + " see whether ClusterJobsITCase still finds what jobs leave behind without it")
        .doesNotThrowAnyException();
  }

  @Test
  void slf4jIs17AndItsLinesArrive() {
    List<String> lines = new ArrayList<>();
    AbstractAppender appender =
        new AbstractAppender("seen", null, null, true, Property.EMPTY_ARRAY) {
          @Override
          public void append(LogEvent event) {
            lines.add(event.getMessage().getFormattedMessage());
          }
        };
    appender.start();
    Logger root = (Logger) LogManager.getRootLogger();
    root.addAppender(appender);
    try {
      LoggerFactory.getLogger("io.everwatch.probe").error("does {} arrive?", "this");
    } finally {
      root.removeAppender(appender);
    }
    assertThat(lines)
        .as("slf4j-api 2 does not find the 1.7 binding that Flink and Kafka live with: no log")
        .containsExactly("does this arrive?");
    assertThat(jarVersion("org.slf4j.LoggerFactory", "slf4j-api-")).startsWith("1.7.");
  }

  @Test
  void theConnectorsWarningPerCheckpointIsSilenced() {
    Logger metrics = (Logger) LogManager.getLogger("org.apache.flink.metrics.MetricGroup");
    assertThat(metrics.getLevel())
        .as("connector 5.0 on Flink 2.3 warns of a name collision at every checkpoint")
        .isEqualTo(Level.ERROR);
  }

  @Test
  void generatedAvroClassesAreTrustedOnceTheWireFormatIsUsed() throws Exception {
    WireFormat.trustGeneratedClasses();
    FrameEvent event =
        FrameEvent.newBuilder()
            .setStreamId("a")
            .setSequence(1)
            .setCaptureMicros(2)
            .setBytes(ByteBuffer.wrap(new byte[] {3}))
            .build();
    assertThat(WireFormat.decodeFrame(WireFormat.encode(event))).isEqualTo(event);
    assertThat(ClassSecurityValidator.getGlobal().isTrusted(FrameEvent.class))
        .as("Avro 1.12.2 refuses generated classes that nobody told it to trust")
        .isTrue();
    assertThat(ClassSecurityValidator.DEFAULT.isTrusted(FrameEvent.class))
        .as("Avro trusts them by itself now: WireFormat need not tell it")
        .isFalse();
  }

  @Test
  void kryoIsRefused() {
    Configuration flink =
        io.everwatch.job.topology.FlinkSettings.ofJob(
            io.everwatch.job.config.EverwatchConfig.of("brokers", "a:1"));
    assertThat(flink.get(PipelineOptions.GENERIC_TYPES)).isFalse();
    ExecutionConfig execution = new ExecutionConfig(flink);
    assertThatThrownBy(
            () ->
                TypeInformation.of(Thread.class).createSerializer(execution.getSerializerConfig()))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void surefireRunsJUnit5() {
    // Maven's own default runs none of these tests and stays green; failIfNoTests is the guard.
    assertThat(
            System.getProperty("surefire.real.class.path", System.getProperty("java.class.path")))
        .contains("surefire");
  }

  private static String jarVersion(String className, String artifact) {
    try {
      String jar =
          Class.forName(className).getProtectionDomain().getCodeSource().getLocation().getPath();
      int start = jar.lastIndexOf(artifact) + artifact.length();
      return jar.substring(start, jar.length() - ".jar".length());
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }
}
