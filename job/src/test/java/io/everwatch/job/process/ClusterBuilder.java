// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How a {@link Cluster} is made; each method says what it changes. */
public final class ClusterBuilder {
  private final Path dir;
  final Map<String, String> flink = small();
  int taskManagers = 1;
  int slots = 2;
  @Nullable List<String> application;
  // Half of the time of a start; a test is over before the second compiler has paid off.
  List<String> jvmFlags = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
  List<String> taskManagerFlags = List.of();
  List<Path> taskManagerClasses = List.of();
  private List<Map<String, String>> environments = List.of();
  boolean gpus;

  ClusterBuilder(Path dir) {
    this.dir = dir;
  }

  /** Default: 1. */
  public ClusterBuilder taskManagers(int count) {
    taskManagers = count;
    return this;
  }

  /** Of each TaskManager; default: 2. */
  public ClusterBuilder slots(int count) {
    slots = count;
    return this;
  }

  /** A setting of Flink, instead of that of {@code deploy/conf/config.yaml}. */
  public ClusterBuilder flink(String key, String value) {
    flink.put(key, value);
    return this;
  }

  /** Flags of every JVM; default: the serial collector and the first compiler only. */
  public ClusterBuilder jvmFlags(String... flags) {
    jvmFlags = List.of(flags);
    return this;
  }

  /** Flags of TaskManagers, besides. */
  public ClusterBuilder taskManagerFlags(String... flags) {
    taskManagerFlags = List.of(flags);
    return this;
  }

  /** On the class path of TaskManagers, before all else. */
  public ClusterBuilder taskManagerClasses(Path... folders) {
    taskManagerClasses = List.of(folders);
    return this;
  }

  /**
   * TaskManagers with GPUs: one for each of these values of {@code EVERWATCH_GPUS}, with the plugin
   * and the configuration of {@code deploy/conf/gpu.yaml}. No device is looked for.
   */
  public ClusterBuilder gpus(String... values) {
    gpus = true;
    return taskManagersIn(Stream.of(values).map(value -> Map.of("EVERWATCH_GPUS", value)).toList());
  }

  /** TaskManagers, one for each of these environments, which are added to those that they have. */
  public ClusterBuilder taskManagersIn(List<Map<String, String>> each) {
    List<Map<String, String>> all = new ArrayList<>();
    for (int i = 0; i < each.size(); i++) {
      Map<String, String> own = new HashMap<>(environment(i));
      own.putAll(each.get(i));
      all.add(Map.copyOf(own));
    }
    environments = List.copyOf(all);
    return taskManagers(each.size());
  }

  /** What TaskManager {@code number}, from 0, has in its environment besides. */
  Map<String, String> environment(int number) {
    return number < environments.size() ? environments.get(number) : Map.of();
  }

  /**
   * Application mode instead of session mode: the JobManager runs this job and no other.
   *
   * @param keysAndValues of the job's configuration; as for {@link Jobs#submit}
   */
  public ClusterBuilder application(String... keysAndValues) {
    application = List.of(keysAndValues);
    return this;
  }

  /**
   * Starts all processes and returns when the broker answers, with the default topics created, and
   * every TaskManager is registered; an application's job may still be on its way.
   */
  public Cluster start() throws Exception {
    Cluster cluster = new Cluster(dir, this);
    try {
      cluster.up();
      return cluster;
    } catch (Exception | AssertionError e) {
      try (cluster) {
        throw e;
      }
    }
  }

  /**
   * Sizes under which several clusters fit on one machine, and answers that are not seconds old.
   */
  private static Map<String, String> small() {
    return new HashMap<>(
        Map.ofEntries(
            Map.entry("jobmanager.memory.process.size", "700m"),
            Map.entry("jobmanager.memory.jvm-metaspace.size", "192m"),
            Map.entry("jobmanager.memory.jvm-overhead.min", "96m"),
            Map.entry("jobmanager.memory.jvm-overhead.max", "96m"),
            Map.entry("taskmanager.memory.process.size", "900m"),
            Map.entry("taskmanager.memory.jvm-metaspace.size", "192m"),
            Map.entry("taskmanager.memory.jvm-overhead.min", "96m"),
            Map.entry("taskmanager.memory.jvm-overhead.max", "96m"),
            Map.entry("taskmanager.memory.managed.size", "64m"),
            Map.entry("taskmanager.memory.framework.off-heap.size", "64m"),
            Map.entry("taskmanager.memory.task.off-heap.size", "128m"),
            Map.entry("web.submit.enable", "true"),
            Map.entry("web.refresh-interval", "300"),
            Map.entry("metrics.fetcher.update-interval", "500")));
  }
}
