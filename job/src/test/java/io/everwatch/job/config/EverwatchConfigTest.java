// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.everwatch.operators.model.ModelConfig;
import io.everwatch.operators.model.ModelFolder;
import io.everwatch.operators.model.SettingsResolver;
import io.everwatch.operators.model.StreamSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EverwatchConfigTest {
  @TempDir private Path dir;

  private Path yaml(String text) throws Exception {
    return Files.writeString(dir.resolve("job.yaml"), text);
  }

  private static ConfigException problemsOf(String... keysAndValues) {
    return catchThrowableOfType(ConfigException.class, () -> EverwatchConfig.of(keysAndValues));
  }

  @Test
  void readsNestedAndDottedKeysAlike() throws Exception {
    EverwatchConfig config =
        EverwatchConfig.load(
            Optional.of(
                yaml(
                    """
                    brokers: [one:9092, two:9092]
                    checkpoint:
                      interval: 5 s
                    snapshot.interval: 0
                    topics: {frames: cams}
                    """)),
            List.of());

    assertThat(config.get(ConfigKeys.BROKERS)).isEqualTo("one:9092,two:9092");
    assertThat(config.get(ConfigKeys.CHECKPOINT_INTERVAL)).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.get(ConfigKeys.SNAPSHOT_INTERVAL)).isZero();
    assertThat(config.get(ConfigKeys.FRAMES)).isEqualTo("cams");
    assertThat(config.get(ConfigKeys.TEXT)).isEqualTo("text");
  }

  /** With the settings that it names, a job starts, and a stream has the memory that it says. */
  @Test
  void takesTheExampleOfAWideMemory() {
    EverwatchConfig config =
        EverwatchConfig.load(
            Optional.of(Path.of("../docs/examples/wide-memory.yaml")), List.of("--brokers=one:1"));

    assertThat(config.get(ConfigKeys.SNAPSHOT_INTERVAL)).isEqualTo(Duration.ofMinutes(5));
    ModelFolder folder = ModelFolder.open("everwatch-tiny");
    StreamSettings settings =
        SettingsResolver.open(folder, ModelConfig.read(folder))
            .resolve(config.engineOptions().overrides())
            .settings();
    assertThat(settings.visualRounds()).isEqualTo(128);
    assertThat(settings.textRounds()).isEqualTo(128);
    assertThat(settings.textSink()).isEqualTo(4096);
    assertThat(settings.textWindow()).isEqualTo(4096);
    assertThat(settings.maxGapMicros()).isEqualTo(128_000_000);
  }

  @Test
  void theCommandLineWinsAndEveryOriginIsKnown() throws Exception {
    EverwatchConfig config =
        EverwatchConfig.load(
            Optional.of(yaml("brokers: one:9092\nparallelism: 3\n")),
            List.of("--parallelism=4", "--delivery", "at-least-once"));

    assertThat(config.get(ConfigKeys.PARALLELISM)).isEqualTo(4);
    assertThat(config.get(ConfigKeys.DELIVERY)).isEqualTo(Delivery.AT_LEAST_ONCE);
    assertThat(config.settings())
        .contains(
            new Setting("brokers", "one:9092", "job.yaml"),
            new Setting("parallelism", "4", "command line"),
            new Setting("group", "everwatch", "default"));
  }

  @Test
  void allProblemsStandInOneMessage() {
    ConfigException failure =
        problemsOf("checkpont.interval", "5 s", "parallelism", "many", "engine.kv-memory", "lots");

    assertThat(failure.problems()).hasSize(3);
    assertThat(failure)
        .hasMessageContaining("'checkpont.interval'")
        .hasMessageContaining("'checkpoint.interval'")
        .hasMessageContaining("parallelism is 'many' (command line); expected a whole number")
        .hasMessageContaining("engine.kv-memory is 'lots'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"brokers", "localhost", "a:b", "a:9092;b:9092"})
  void brokersMustBeAddresses(String brokers) {
    assertThat(problemsOf("brokers", brokers)).hasMessageContaining("host:port");
  }

  @Test
  void missingBrokersAreNamed() {
    assertThat(problemsOf()).hasMessageContaining("brokers is missing");
  }

  @Test
  void noGroupsTransactionsBeginAsThoseOfAnother() {
    for (String group : List.of("gate-text", "gate-textual", "gate-text-2")) {
      assertThat(problemsOf("brokers", "a:1", "group", group))
          .hasMessageContaining("group is '%s'".formatted(group))
          .hasMessageContaining("a job of group 'gate' would end the transactions of this one")
          .hasMessageContaining("take '%s'".formatted(group.replace("-text", "_text")));
    }
    assertThat(EverwatchConfig.of("brokers", "a:1", "group", "text-gate").transactionalIdPrefix())
        .isEqualTo("text-gate-text");
  }

  @Test
  void aValueWithoutAKeyIsAProblem() {
    assertThatThrownBy(
            () -> EverwatchConfig.load(Optional.empty(), List.of("--brokers", "a:1", "stray")))
        .hasMessageContaining("'stray' is out of place");
    assertThatThrownBy(() -> EverwatchConfig.load(Optional.empty(), List.of("--brokers")))
        .hasMessageContaining("--brokers has no value");
    assertThat(problemsOf("brokers", "a:1", "brokers", "b:1"))
        .hasMessageContaining("--brokers is given twice");
  }

  @Test
  void brokenAndMissingFilesAreNamedWithTheLine() throws Exception {
    Path broken = yaml("brokers: a:1\n  parallelism: [\n");
    assertThatThrownBy(() -> EverwatchConfig.load(Optional.of(broken), List.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("job.yaml, line");
    assertThatThrownBy(() -> EverwatchConfig.load(Optional.of(dir.resolve("none.yaml")), List.of()))
        .hasMessageContaining("there is no file");
    Path twice = yaml("brokers: a:1\nbrokers: b:1\n");
    assertThatThrownBy(() -> EverwatchConfig.load(Optional.of(twice), List.of()))
        .hasMessageContaining("brokers");
  }

  @Test
  void secretsAreNeverShown() {
    EverwatchConfig config =
        EverwatchConfig.of(
            "brokers", "a:1",
            "kafka.sasl.jaas.config", "password=tiger",
            "kafka.ssl.keystore.password", "tiger",
            "kafka.sasl.oauthbearer.assertion.private.key.passphrase", "tiger",
            "kafka.security.protocol", "SASL_SSL");

    assertThat(config.settings().toString()).doesNotContain("tiger").contains("SASL_SSL");
    assertThat(config.kafkaProperties())
        .containsEntry("sasl.jaas.config", "password=tiger")
        .containsEntry("bootstrap.servers", "a:1");
  }

  @Test
  void secretsStandInNoErrorEither() throws Exception {
    Path open = yaml("brokers: a:1\nkafka:\n  ssl.key.password: \"tiger\n");
    assertThatThrownBy(() -> EverwatchConfig.load(Optional.of(open), List.of()))
        .hasMessageContaining("job.yaml, line 3")
        .message()
        .doesNotContain("tiger");
    List<String> twoWords = List.of("--brokers", "a:1", "--kafka.ssl.key.password", "a", "tiger");
    assertThatThrownBy(() -> EverwatchConfig.load(Optional.empty(), twoWords))
        .hasMessageContaining("a word behind --kafka.ssl.key.password is out of place")
        .message()
        .doesNotContain("tiger");
  }

  @Test
  void streamingSettingsReachTheEngine() {
    EverwatchConfig config =
        EverwatchConfig.of("brokers", "a:1", "streaming.textWindow", "192", "threads", "3");

    assertThat(config.engineOptions().overrides()).containsEntry("textWindow", "192");
    assertThat(config.engineOptions().threads()).isEqualTo(3);
  }

  @Test
  void aTransactionOutlivesTheLongestOutage() {
    assertThat(EverwatchConfig.of("brokers", "a:1").transactionTimeout())
        .isGreaterThan(Duration.ofMinutes(10))
        .isLessThan(Duration.ofMinutes(15));
    assertThat(
            problemsOf(
                "brokers", "a:1",
                "recovery.max-outage", "5 min",
                "kafka.transaction.timeout.ms", "60000"))
        .hasMessageContaining("not longer than recovery.max-outage (5 min)");
    assertThat(problemsOf("brokers", "a:1", "recovery.max-outage", "1 h"))
        .hasMessageContaining("transaction.max.timeout.ms");
    assertThat(
            EverwatchConfig.of(
                    "brokers", "a:1",
                    "recovery.max-outage", "1 h",
                    "kafka.transaction.timeout.ms", "4000000")
                .transactionTimeout())
        .isEqualTo(Duration.ofSeconds(4000));
  }

  @ParameterizedTest
  @CsvSource({
    "500 ms,500",
    "10s,10000",
    "2 min,120000",
    "2m,120000",
    "1 h,3600000",
    "0,0",
    "PT2S,2000"
  })
  void durations(String text, long millis) {
    assertThat(Parsers.duration(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10",
        "-1 s",
        "ten s",
        "1 fortnight",
        "",
        "99999999999999999999 s",
        "9999999999999999 h",
        "PTx"
      })
  void durationsNeedAUnit(String text) {
    assertThatThrownBy(() -> Parsers.duration(text)).hasMessageContaining("10 s");
  }

  @ParameterizedTest
  @CsvSource({"4096,4096", "512 KiB,524288", "8 MiB,8388608", "8m,8388608", "2 GiB,2147483648"})
  void sizes(String text, long bytes) {
    assertThat(Parsers.size(text)).isEqualTo(bytes);
  }

  @Test
  void everyDefaultCanBeRead() {
    EverwatchConfig config = EverwatchConfig.of("brokers", "a:1");
    assertThat(ConfigKeys.all()).allSatisfy(key -> assertThat(config.get(key)).isNotNull());
  }

  @Test
  void theReferenceInTheDocumentationIsUpToDate() throws Exception {
    assertThat(Path.of("../docs/configuration.md"))
        .as("run: ./everwatch run --print-config-reference > docs/configuration.md")
        .content()
        .isEqualTo(ConfigReference.markdown());
  }

  @Test
  void saysWhenEachReadingSeesTheText() {
    assertThat(EverwatchConfig.of("brokers", "a:1").latencyNote())
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).contains("live reading", "as soon as it is said"))
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("committed reading", "once", "5 s later on average", "most 10 s"));
    assertThat(EverwatchConfig.of("brokers", "a:1", "checkpoint.interval", "250 ms").latencyNote())
        .anySatisfy(line -> assertThat(line).contains("125 ms later on average", "at most 250 ms"));
    assertThat(
            EverwatchConfig.of(
                    "brokers", "a:1", "delivery", "at-least-once", "checkpoint.interval", "1 s")
                .latencyNote())
        .singleElement()
        .asString()
        .contains("live and committed", "as soon as it is said", "up to 1 s", "twice");
  }

  @Test
  void theEngineTakesAsManyRoundsAsTheOperatorMayGive() {
    EverwatchConfig config =
        EverwatchConfig.of("brokers", "one:9092", "engine.max-in-flight", "4096");

    assertThat(config.engineOptions().queueRounds())
        .isGreaterThanOrEqualTo(config.get(ConfigKeys.MAX_IN_FLIGHT));
  }
}
