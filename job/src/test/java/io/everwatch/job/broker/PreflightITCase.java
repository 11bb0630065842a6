// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.EverwatchConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A broker on which the job would fail is named as such before the job starts. */
@Timeout(120)
class PreflightITCase {
  private static final Duration ANSWER = Duration.ofSeconds(20);

  @TempDir private static Path dir;
  private static EmbeddedBroker broker;
  private static Admin admin;

  /** Of this test, as its topics and its group are. */
  private String name = "";

  @BeforeAll
  static void open() throws Exception {
    broker =
        EmbeddedBroker.start(
            dir.resolve("broker"),
            Map.of(
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "allow.everyone.if.no.acl.found",
                "true",
                "transaction.max.timeout.ms",
                "120000"));
    admin = Admin.create(broker.clientProperties());
  }

  @AfterAll
  static void close() {
    admin.close();
    broker.close();
  }

  private TopicNames topics(TestInfo test, int partitions) {
    name = test.getTestMethod().orElseThrow().getName();
    TopicNames names =
        new TopicNames(name + ".frames", name + ".text", name + ".dlq", name + ".commands");
    Topics.create(broker.clientProperties(), names, TopicLimits.of(partitions));
    return names;
  }

  private Findings look(String... more) {
    return Preflight.look(config(broker, more), ANSWER);
  }

  private EverwatchConfig config(EmbeddedBroker at, String... more) {
    Map<String, String> all = new HashMap<>();
    all.put("brokers", at.address());
    all.put("group", name);
    all.put("topics.frames", name + ".frames");
    all.put("topics.text", name + ".text");
    all.put("topics.dlq", name + ".dlq");
    all.put("topics.commands", name + ".commands");
    all.put("checkpoint.interval", "10 s");
    all.put("recovery.max-outage", "1 min");
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i], more[i + 1]);
    }
    List<String> keysAndValues = new ArrayList<>();
    all.forEach((key, value) -> keysAndValues.addAll(List.of(key, value)));
    return EverwatchConfig.of(keysAndValues.toArray(String[]::new));
  }

  private static void set(String topic, String key, String value) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    AlterConfigOp change = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
  }

  private static AclBinding acl(
      ResourceType type, String name, AclOperation operation, AclPermissionType permission) {
    return new AclBinding(
        new ResourcePattern(type, name, PatternType.PREFIXED),
        new AccessControlEntry("User:*", "*", operation, permission));
  }

  /** All but one operation is allowed. */
  private static void deny(ResourceType type, String name, AclOperation operation)
      throws Exception {
    admin
        .createAcls(
            List.of(
                acl(type, name, AclOperation.ALL, AclPermissionType.ALLOW),
                acl(type, name, operation, AclPermissionType.DENY)))
        .all()
        .get();
  }

  @Test
  void hasNothingToSayOfABrokerThatFits(TestInfo test) {
    topics(test, 2);

    Findings findings = look();

    assertThat(findings.problems()).isEmpty();
    assertThat(findings.warnings()).isEmpty();
    assertThat(look().warnings()).as("a second look does not see the first").isEmpty();
  }

  @Test
  void namesEveryMissingTopicAtOnce() {
    name = "missing";

    assertThat(look().problems())
        .singleElement()
        .asString()
        .contains("missing.commands, missing.dlq, missing.frames, missing.text")
        .contains("everwatch topics --brokers " + broker.address());
  }

  @Test
  void namesASmallerTransactionLimit(TestInfo test) {
    topics(test, 2);

    assertThat(look("recovery.max-outage", "10 min").problems())
        .singleElement()
        .asString()
        .contains("620000 ms", "120000 ms (transaction.max.timeout.ms)", "recovery.max-outage");
  }

  @Test
  void namesEachRightThatIsMissing(TestInfo test) throws Exception {
    TopicNames names = topics(test, 2);
    deny(ResourceType.TOPIC, names.frames(), AclOperation.READ);
    deny(ResourceType.TOPIC, names.text(), AclOperation.WRITE);
    deny(ResourceType.TOPIC, names.deadLetters(), AclOperation.DESCRIBE);
    deny(ResourceType.GROUP, name, AclOperation.READ);
    deny(ResourceType.TRANSACTIONAL_ID, name, AclOperation.WRITE);

    assertThat(look().problems())
        .hasSize(5)
        .allSatisfy(problem -> assertThat(problem).contains("kafka-acls --add"))
        .anySatisfy(
            problem -> assertThat(problem).contains("topic " + names.frames(), "may not READ;"))
        .anySatisfy(
            problem -> assertThat(problem).contains("topic " + names.text(), "may not WRITE;"))
        .anySatisfy(
            problem -> assertThat(problem).contains("topic " + names.deadLetters(), "WRITE;"))
        .anySatisfy(
            problem -> assertThat(problem).contains("group " + name, "--operation read --group"))
        .anySatisfy(
            problem ->
                assertThat(problem)
                    .contains("transactional ids that begin with " + name + "-text", "prefixed"));
  }

  @Test
  void namesWhatATopicWouldRefuse(TestInfo test) throws Exception {
    TopicNames names = topics(test, 2);
    set(names.deadLetters(), "max.message.bytes", "100000");
    set(names.commands(), "cleanup.policy", "compact");
    set(names.text(), "min.insync.replicas", "2");

    assertThat(look("kafka.max.request.size", "250000").problems())
        .hasSize(4)
        .anySatisfy(
            problem ->
                assertThat(problem)
                    .contains("topic " + names.deadLetters(), "at most 100000 bytes", "raise it"))
        .anySatisfy(
            problem -> assertThat(problem).contains("topic " + names.commands() + " is compacted"))
        .anySatisfy(
            problem ->
                assertThat(problem)
                    .contains(
                        "topic " + names.text() + " has 1 copies", "min.insync.replicas is 2"))
        .anySatisfy(
            problem ->
                assertThat(problem).contains("kafka.max.request.size is 250000", names.text()));
  }

  @Test
  void warnsOfAFramesTopicThatWillDisappoint(TestInfo test) throws Exception {
    TopicNames names = topics(test, 1);
    set(names.frames(), "retention.ms", "30000");
    set(names.frames(), "message.timestamp.type", "CreateTime");

    Findings findings = look("parallelism", "2");

    assertThat(findings.problems()).isEmpty();
    assertThat(findings.warnings())
        .hasSize(3)
        .anySatisfy(line -> assertThat(line).contains("1 partition(s), parallelism is 2"))
        .anySatisfy(line -> assertThat(line).contains("for 30 s", "recovery.max-outage (60 s)"))
        .anySatisfy(line -> assertThat(line).contains("LogAppendTime"));
    set(names.frames(), "retention.ms", "-1");
    assertThat(look().warnings()).anySatisfy(line -> assertThat(line).contains("for ever"));
  }

  @Test
  void seesAnotherJobOfTheSameGroup(TestInfo test) throws Exception {
    TopicNames names = topics(test, 2);
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("transactional.id", name + "-text-0-7");
    try (KafkaProducer<byte[], byte[]> other =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      other.initTransactions();
      other.beginTransaction();
      other.send(new ProducerRecord<>(names.text(), new byte[1])).get();

      Findings findings = look();

      assertThat(findings.problems()).isEmpty();
      assertThat(findings.warnings())
          .singleElement()
          .asString()
          .contains("a job of group " + name + " began a transaction", "a group of its own");
      other.commitTransaction(); // the look did not end it
    }
  }

  @Test
  void seesWhatARunExactlyOnceLeftOpen(TestInfo test) throws Exception {
    TopicNames names = topics(test, 2);
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("transactional.id", name + "-text-1-3");
    properties.put("transaction.timeout.ms", "90000");
    try (KafkaProducer<byte[], byte[]> dead =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      dead.initTransactions();
      assertThat(look("delivery", "at-least-once").warnings()).isEmpty();
      dead.beginTransaction();
      dead.send(new ProducerRecord<>(names.text(), new byte[1])).get();

      Findings findings = look("delivery", "at-least-once");

      assertThat(findings.problems()).isEmpty();
      assertThat(findings.warnings())
          .singleElement()
          .asString()
          .contains("1 transactions of group " + name + " are open (" + name + "-text-1-3)")
          .containsPattern("until the broker does, in (90|[78]\\d) s");
      dead.commitTransaction(); // the look did not end it
    }
  }

  @Test
  void seesAConsumerInTheSameGroup(TestInfo test) throws Exception {
    TopicNames names = topics(test, 2);
    Map<String, Object> properties = new HashMap<>(broker.clientProperties());
    properties.put("group.id", name);
    properties.put("client.id", "somebody");
    try (KafkaConsumer<byte[], byte[]> other =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      other.subscribe(List.of(names.frames()));
      long deadline = System.nanoTime() + ANSWER.toNanos();
      while (other.assignment().isEmpty()) {
        assertThat(System.nanoTime()).as("deadline of the assignment").isLessThan(deadline);
        other.poll(Duration.ofMillis(100));
      }
      assertThat(look().warnings())
          .singleElement()
          .asString()
          .contains("group " + name + " has 1 members", "somebody");
    }
  }

  @Test
  void saysThatABrokerOffersNoTransactions() throws Exception {
    name = "plain";
    try (EmbeddedBroker one =
        EmbeddedBroker.start(
            dir.resolve("one"), Map.of("transaction.state.log.replication.factor", "3"))) {
      Topics.create(
          one.clientProperties(),
          new TopicNames("plain.frames", "plain.text", "plain.dlq", "plain.commands"),
          TopicLimits.of(2));

      assertThat(Preflight.look(config(one), Duration.ofSeconds(3)).problems())
          .singleElement()
          .asString()
          .contains("no transaction id within 3 s", "transaction.state.log.replication.factor")
          .contains("delivery: at-least-once");
      assertThat(
              Preflight.look(config(one, "delivery", "at-least-once"), Duration.ofSeconds(3))
                  .problems())
          .isEmpty();
    }
  }
}
