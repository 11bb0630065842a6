// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.job.broker.TopicLimits;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.broker.Topics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.apache.commons.io.FileUtils;

/**
 * Broker, JobManager and TaskManagers as processes of their own, from the built jars, on free
 * ports, below one directory. Each may be killed ({@link JvmProcess#kill}) and started again. Made
 * by {@link #at}; {@link #close} ends every process and removes what killed ones left behind, the
 * logs excepted.
 */
public final class Cluster implements AutoCloseable {
  /** For one step of a process: its start, its registration, a job's start or end, a savepoint. */
  public static final Duration STEP = Duration.ofSeconds(90);

  private static final int LOG_LINES = 40;

  private final Path dir;
  private final ClusterBuilder settings;
  private final FlinkHome home;
  private final int brokerPort;
  private final FlinkRest rest;
  private final JvmProcess broker;
  private final JvmProcess jobManager;
  private final Map<String, JvmProcess> taskManagers = new LinkedHashMap<>();
  private final Jobs jobs = new Jobs(this);
  private int clients;
  private Optional<String> applicationFrom = Optional.empty();

  Cluster(Path dir, ClusterBuilder settings) throws IOException {
    this.dir = Files.createDirectories(dir).toRealPath();
    this.settings = settings;
    List<Integer> ports = FreePorts.find(3);
    brokerPort = ports.get(0);
    Map<String, String> flink = new HashMap<>();
    flink.put("rest.port", ports.get(1).toString());
    flink.put("rest.bind-port", ports.get(1).toString());
    flink.put("jobmanager.rpc.port", ports.get(2).toString());
    flink.put("taskmanager.numberOfTaskSlots", Integer.toString(settings.slots));
    flink.put("execution.checkpointing.dir", "file://" + checkpoints());
    if (settings.gpus) {
      flink.putAll(FlinkHome.gpuSettings());
    }
    flink.putAll(settings.flink);
    home = new FlinkHome(this.dir, flink, settings.jvmFlags);
    if (settings.gpus) {
      home.installGpuPlugin();
    }
    rest = new FlinkRest(ports.get(1));
    broker = process("broker", () -> home.broker(brokerPort), Map.of());
    jobManager = process("jobmanager", this::jobManagerLine, Map.of());
  }

  /**
   * A cluster to be made.
   *
   * @param dir where all of it lies; made when missing
   */
  public static ClusterBuilder at(Path dir) {
    return new ClusterBuilder(dir);
  }

  void up() throws Exception {
    broker.start();
    if (settings.application == null) {
      jobManager.start();
    }
    for (int i = 0; i < settings.taskManagers; i++) {
      addTaskManager();
    }
    awaitBroker();
    createTopics(TopicNames.defaults(), 4);
    if (settings.application != null) { // its job looks for its topics at once
      jobManager.start();
    }
    awaitTaskManagers(settings.taskManagers);
  }

  // --- where things are ---

  /** {@code host:port} of the broker. */
  public String brokers() {
    return "localhost:" + brokerPort;
  }

  /** Properties of a Kafka client. */
  public Map<String, Object> clientProperties() {
    return Map.of("bootstrap.servers", brokers());
  }

  public FlinkRest rest() {
    return rest;
  }

  /** The jar that is submitted. */
  Path jobJar() {
    return home.job();
  }

  /** What runs on it. */
  public Jobs jobs() {
    return jobs;
  }

  /** Where jobs' checkpoints are kept. */
  public Path checkpoints() {
    return dir.resolve("checkpoints");
  }

  /** Where savepoints go. */
  public Path savepoints() {
    return dir.resolve("savepoints");
  }

  public void createTopics(TopicNames names, int partitions) {
    Topics.create(clientProperties(), names, TopicLimits.of(partitions));
  }

  // --- processes ---

  public JvmProcess broker() {
    return broker;
  }

  public JvmProcess jobManager() {
    return jobManager;
  }

  /** In the order in which they were added: {@code tm-1}, {@code tm-2} … */
  public List<JvmProcess> taskManagers() {
    return List.copyOf(taskManagers.values());
  }

  /** One more; {@link #awaitTaskManagers} waits for its registration. */
  public JvmProcess addTaskManager() throws IOException {
    int number = taskManagers.size();
    String name = "tm-" + (number + 1);
    JvmProcess added =
        process(name, () -> home.taskManager(name, settings), settings.environment(number));
    taskManagers.put(name, added);
    added.start();
    return added;
  }

  /** Application mode: a JobManager that is started from now on begins with this checkpoint. */
  public void applicationBeginsWith(String checkpoint) {
    applicationFrom = Optional.of(checkpoint);
  }

  /**
   * Stops JobManager and TaskManagers and starts them again with another runtime jar; jobs are
   * submitted with another job jar from then on.
   */
  public void upgrade(Path runtime, Path job) throws Exception {
    for (JvmProcess taskManager : taskManagers.values()) {
      taskManager.stop();
    }
    jobManager.stop();
    home.install(runtime, job);
    jobManager.start();
    for (JvmProcess taskManager : taskManagers.values()) {
      taskManager.start();
    }
    awaitTaskManagers(taskManagers.size());
  }

  /**
   * Runs Flink's command line to its end.
   *
   * @return what it said
   * @throws AssertionError when it fails
   */
  public String flink(String... arguments) throws Exception {
    JvmProcess client =
        process("client-" + ++clients, () -> home.client(List.of(arguments)), Map.of());
    try (client) {
      client.start();
      await("the end of flink " + arguments[0], () -> !client.isAlive());
      String said = Files.readString(client.log());
      if (client.exitValue() != 0) {
        throw new AssertionError("flink %s failed: %s".formatted(List.of(arguments), said));
      }
      return said;
    }
  }

  /** Returns when the broker answers. */
  public void awaitBroker() throws Exception {
    await(
        "the broker's answer",
        () -> {
          try (var connection = new Socket(InetAddress.getLoopbackAddress(), brokerPort)) {
            return connection.isConnected();
          }
        });
  }

  /** Returns when exactly so many are registered; lost ones are forgotten after the heartbeats. */
  public void awaitTaskManagers(int count) throws Exception {
    await(count + " registered TaskManagers", () -> rest.taskManagers() == count);
  }

  /** Waits; a failure tells the ends of all logs. */
  public void await(String what, Callable<Boolean> condition) throws Exception {
    Await.until(what, STEP, condition, this::logs);
  }

  /** The last lines of every process's log. */
  public String logs() {
    StringBuilder all = new StringBuilder();
    for (JvmProcess process : processes()) {
      if (process.starts() > 0) {
        all.append("--- ").append(process).append(System.lineSeparator());
        all.append(process.tail(LOG_LINES)).append(System.lineSeparator());
      }
    }
    return all.toString();
  }

  /** The folder of the logs and of all else. */
  public Path directory() {
    return dir;
  }

  /** In the order that leaves nobody waiting for another. */
  private List<JvmProcess> processes() {
    List<JvmProcess> all = new ArrayList<>(taskManagers.values());
    all.add(jobManager);
    all.add(broker);
    return all;
  }

  @Override
  public void close() throws Exception {
    for (JvmProcess process : processes()) {
      process.stop();
    }
    FileUtils.deleteDirectory(dir.resolve("tmp").toFile());
  }

  private List<String> jobManagerLine() {
    return settings.application == null
        ? home.sessionJobManager()
        : home.applicationJobManager(applicationFrom, jobs.arguments(settings.application));
  }

  private JvmProcess process(
      String name, Supplier<List<String>> line, Map<String, String> environment) {
    Map<String, String> all = new HashMap<>(home.environment());
    all.putAll(environment);
    return new JvmProcess(name, dir, line, all);
  }
}
