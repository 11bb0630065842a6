// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import io.everwatch.operators.engine.EngineOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The job's configuration, checked as a whole: built-in defaults, then a YAML file, then {@code
 * --key value}; later wins. Immutable.
 */
public final class EverwatchConfig {
  /** Kafka's own default of {@code transaction.max.timeout.ms}. */
  private static final Duration BROKER_TRANSACTION_LIMIT = Duration.ofMinutes(15);

  private final Map<String, Object> values;
  private final Map<String, Entry> given;

  /** A value as it was written, and where. */
  record Entry(String text, String origin) {}

  private EverwatchConfig(Map<String, Object> values, Map<String, Entry> given) {
    this.values = values;
    this.given = given;
  }

  /**
   * Reads and checks.
   *
   * @param file YAML, nested or with dotted keys; empty = none
   * @param overrides {@code --key value} or {@code --key=value}
   * @throws ConfigException naming every problem at once
   */
  public static EverwatchConfig load(Optional<Path> file, List<String> overrides) {
    List<String> problems = new ArrayList<>();
    Map<String, Entry> given = new LinkedHashMap<>();
    file.ifPresent(path -> given.putAll(ConfigSources.yaml(path, problems)));
    given.putAll(ConfigSources.arguments(overrides, problems));
    return check(given, problems);
  }

  private static EverwatchConfig check(Map<String, Entry> given, List<String> problems) {
    Map<String, Object> values = new LinkedHashMap<>();
    List<ConfigKey<?>> keys = ConfigKeys.all();
    given.keySet().stream()
        .filter(name -> !known(name, keys))
        .forEach(name -> problems.add(unknown(name, given, keys)));
    keys.forEach(key -> resolve(key, given, values, problems));
    EverwatchConfig config = new EverwatchConfig(values, given);
    if (problems.isEmpty()) {
      config.checkTogether(problems);
    }
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
    return config;
  }

  /** For programs and tests: {@code of("brokers", "localhost:9092", …)}. */
  public static EverwatchConfig of(String... keysAndValues) {
    List<String> arguments = new ArrayList<>();
    for (int i = 0; i < keysAndValues.length; i++) {
      arguments.add(i % 2 == 0 ? "--" + keysAndValues[i] : keysAndValues[i]);
    }
    return load(Optional.empty(), arguments);
  }

  /** The same with one value replaced, checked again. */
  public EverwatchConfig with(String name, String text, String origin) {
    Map<String, Entry> changed = new LinkedHashMap<>(given);
    changed.put(name, new Entry(text, origin));
    return check(changed, new ArrayList<>());
  }

  public <T> T get(ConfigKey<T> key) {
    @SuppressWarnings("unchecked") // put there by the same key's parser
    T value = (T) values.get(key.name());
    if (value == null) {
      throw new IllegalArgumentException(key.name() + " is not one of ConfigKeys");
    }
    return value;
  }

  /** What the engine is opened with. */
  public EngineOptions engineOptions() {
    EngineOptions.Builder options =
        EngineOptions.builder(get(ConfigKeys.MODEL))
            .device(get(ConfigKeys.DEVICE))
            .dtype(get(ConfigKeys.DTYPE).orElse(null))
            .tuningProfile(get(ConfigKeys.TUNING_PROFILE).orElse(null))
            .plainProducts(get(ConfigKeys.PLAIN_PRODUCTS))
            .kvBytes(get(ConfigKeys.KV_MEMORY))
            .pictureBytes(get(ConfigKeys.PICTURE_BYTES))
            .batchRounds(get(ConfigKeys.BATCH_ROUNDS))
            // A subtask's seat takes all that the subtask may give; it refuses the next.
            .queueRounds(get(ConfigKeys.MAX_IN_FLIGHT))
            .stepTimeout(get(ConfigKeys.STEP_TIMEOUT))
            .overrides(withPrefix(ConfigKeys.STREAMING_PREFIX));
    if (get(ConfigKeys.THREADS) > 0) {
      options.threads(get(ConfigKeys.THREADS));
    }
    return options.build();
  }

  /** Properties of every Kafka client of the job, {@code bootstrap.servers} among them. */
  public Map<String, String> kafkaProperties() {
    Map<String, String> properties = new TreeMap<>(withPrefix(ConfigKeys.KAFKA_PREFIX));
    properties.put("bootstrap.servers", get(ConfigKeys.BROKERS));
    return properties;
  }

  /**
   * Kafka's {@code transaction.timeout.ms}: the longest outage, and two checkpoint intervals for
   * the transaction that was open when it began. {@code kafka.transaction.timeout.ms} wins.
   */
  public Duration transactionTimeout() {
    String own = withPrefix(ConfigKeys.KAFKA_PREFIX).get("transaction.timeout.ms");
    return own != null
        ? Duration.ofMillis(Long.parseLong(own))
        : get(ConfigKeys.MAX_OUTAGE).plus(get(ConfigKeys.CHECKPOINT_INTERVAL).multipliedBy(2));
  }

  /** What the sink's transaction ids begin with; no other job may use the same. */
  public String transactionalIdPrefix() {
    return get(ConfigKeys.GROUP) + Parsers.TRANSACTIONS;
  }

  /** Every setting with its value and where it came from. */
  public List<Setting> settings() {
    List<Setting> settings = new ArrayList<>();
    for (ConfigKey<?> key : ConfigKeys.all()) {
      Entry entry = given.get(key.name());
      settings.add(
          entry == null
              ? new Setting(key.name(), key.defaultText(), "default")
              : new Setting(key.name(), entry.text(), entry.origin()));
    }
    given.forEach(
        (name, entry) -> {
          if (passedThrough(name)) {
            settings.add(new Setting(name, secret(name) ? "******" : entry.text(), entry.origin()));
          }
        });
    return settings;
  }

  /** What the settings mean for who reads the text: when it is seen, and how often. */
  public List<String> latencyNote() {
    String interval = Parsers.write(get(ConfigKeys.CHECKPOINT_INTERVAL));
    String half = Parsers.write(get(ConfigKeys.CHECKPOINT_INTERVAL).dividedBy(2));
    return switch (get(ConfigKeys.DELIVERY)) {
      case EXACTLY_ONCE ->
          List.of(
              "live reading (watch, read_uncommitted): text is seen as soon as it is said; after a"
                  + " failure that of up to %s may be seen again, with the same bytes"
                      .formatted(interval),
              "committed reading (read_committed): each text is seen once, %s later on average, at"
                      .formatted(half)
                  + " most %s and the time of a checkpoint (checkpoint.interval, delivery"
                      .formatted(interval)
                  + " exactly-once)");
      case AT_LEAST_ONCE ->
          List.of(
              "live and committed reading: text is seen as soon as it is said (delivery"
                  + " at-least-once); after a failure that of up to %s stands on the topic twice, with"
                      .formatted(interval)
                  + " the same bytes: readers keep the last event of an identity");
    };
  }

  private void checkTogether(List<String> problems) {
    if (get(ConfigKeys.BROKERS).isEmpty()) {
      problems.add("brokers is missing; give host:port, as 'brokers: …' or --brokers …");
    }
    Duration outage = get(ConfigKeys.MAX_OUTAGE);
    String own = withPrefix(ConfigKeys.KAFKA_PREFIX).get("transaction.timeout.ms");
    if (own != null && !own.matches("\\d{1,12}")) {
      problems.add("kafka.transaction.timeout.ms is '%s'; expected milliseconds".formatted(own));
      return;
    }
    if (get(ConfigKeys.DELIVERY) != Delivery.EXACTLY_ONCE) {
      return;
    }
    Duration timeout = transactionTimeout();
    if (timeout.compareTo(outage) <= 0) {
      problems.add(
          "kafka.transaction.timeout.ms is %s, not longer than recovery.max-outage (%s): the broker"
                  .formatted(Parsers.write(timeout), Parsers.write(outage))
              + " would abort text that a checkpoint holds for written, and it would be written again"
              + " after such an outage; raise the first or lower the second");
    } else if (own == null && timeout.compareTo(BROKER_TRANSACTION_LIMIT) > 0) {
      problems.add(
          "recovery.max-outage %s with checkpoint.interval %s needs a transaction timeout of %s, but"
                  .formatted(
                      Parsers.write(outage),
                      Parsers.write(get(ConfigKeys.CHECKPOINT_INTERVAL)),
                      Parsers.write(timeout))
              + " brokers allow 15 min by default; raise the broker's transaction.max.timeout.ms and"
              + " set kafka.transaction.timeout.ms, or lower one of the two");
    }
  }

  private Map<String, String> withPrefix(String prefix) {
    Map<String, String> found = new TreeMap<>();
    given.forEach(
        (name, entry) -> {
          if (name.startsWith(prefix)) {
            found.put(name.substring(prefix.length()), entry.text());
          }
        });
    return found;
  }

  private static <T> void resolve(
      ConfigKey<T> key,
      Map<String, Entry> given,
      Map<String, Object> values,
      List<String> problems) {
    Entry entry = given.get(key.name());
    if (entry == null && key.equals(ConfigKeys.BROKERS)) {
      values.put(key.name(), ""); // no default; its absence is reported with the rest
      return;
    }
    String text = entry == null ? key.defaultText() : entry.text();
    try {
      values.put(key.name(), key.parse(text));
    } catch (RuntimeException e) {
      problems.add(
          "%s is '%s' (%s); %s"
              .formatted(
                  key.name(), text, entry == null ? "default" : entry.origin(), e.getMessage()));
    }
  }

  private static boolean known(String name, List<ConfigKey<?>> keys) {
    return passedThrough(name) || keys.stream().anyMatch(key -> key.name().equals(name));
  }

  private static boolean passedThrough(String name) {
    return Stream.of(ConfigKeys.STREAMING_PREFIX, ConfigKeys.KAFKA_PREFIX)
        .anyMatch(prefix -> name.startsWith(prefix) && name.length() > prefix.length());
  }

  private static String unknown(String name, Map<String, Entry> given, List<ConfigKey<?>> keys) {
    Entry entry = given.get(name);
    return "there is no key '%s' (%s); did you mean '%s'?"
        .formatted(
            name,
            entry == null ? "" : entry.origin(),
            Nearest.to(name, keys.stream().map(ConfigKey::name).toList()));
  }

  /** Whether a Kafka property must not be shown. */
  static boolean secret(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return Stream.of(
            "password",
            "secret",
            "jaas",
            "token",
            "credential",
            "keystore.key",
            "passphrase",
            "private.key")
        .anyMatch(lower::contains);
  }
}
