// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What jobs leave in a TaskManager when they have ended. */
final class JvmRemains {
  private static final String ENGINE = "io.everwatch.operators.engine.BatchingEngine";

  /** What a GPU's engine leaves: once each, however many jobs there were. */
  private static final String MODEL = "io.everwatch.operators.engine.LoadedModel";

  private static final List<String> OF_ENGINES =
      List.of(
          ENGINE,
          "io.everwatch.operators.engine.ModelNetwork",
          "io.everwatch.operators.flink.UnderstandOperator");

  private static final String LOADER = "org.apache.flink.util.ChildFirstClassLoader";

  /** Of a job: each must be gone with it. */
  private static final List<String> OF_JOBS =
      List.of(
          ENGINE,
          "io.everwatch.kernels.cpu.CpuBuffer",
          "io.everwatch.operators.flink.UnderstandOperator",
          "org.apache.kafka.clients.consumer.KafkaConsumer",
          "org.apache.kafka.clients.producer.KafkaProducer",
          "org.apache.kafka.clients.admin.KafkaAdminClient",
          "org.rocksdb.RocksDB");

  /** Pools of Flink and threads of the JVM, which come and go with the load. */
  private static final String POOLS = "(?i)flink.*|C\\d CompilerThread.*|process reaper";

  /** What a leaked class loader or engine would add at each submission, at the least. */
  private static final long LEAK_BYTES = 16L << 20;

  private final JvmProbe probe;

  JvmRemains(JvmProcess process) {
    probe = new JvmProbe(process);
  }

  /**
   * After a job.
   *
   * @param loaders class loaders of jobs
   * @param threads by name, numbers left out; those of pools not among them
   * @param bytes resident
   */
  record Left(long loaders, Map<String, Integer> threads, long bytes) {}

  /** Engines that live now. */
  long engines() throws Exception {
    return probe.objects().getOrDefault(ENGINE, 0L);
  }

  /** Models whose weights are there. */
  long models() throws Exception {
    return probe.objects().getOrDefault(MODEL, 0L);
  }

  /** Returns when nothing of engines is left but the weights of a GPU. */
  void awaitNoEngine() throws Exception {
    Await.until(
        "the end of the engine and its users",
        Duration.ofSeconds(30),
        () -> !probe.objects().keySet().stream().anyMatch(OF_ENGINES::contains),
        () -> "");
  }

  /** What is left now that no job runs. */
  Left afterJobs() throws Exception {
    Await.until(
        "the end of all that belongs to jobs",
        Duration.ofSeconds(30),
        () -> !probe.objects().keySet().stream().anyMatch(OF_JOBS::contains),
        () -> "");
    Map<String, Integer> threads = new TreeMap<>();
    for (String name : probe.threads()) {
      if (!name.matches(POOLS)) {
        threads.merge(name.replaceAll("\\d+", "N"), 1, Integer::sum);
      }
    }
    return new Left(probe.objects().getOrDefault(LOADER, 0L), threads, probe.residentBytes());
  }

  /**
   * That later jobs left no more than the second one did. The first ones are not looked at: caches
   * fill, pools grow, and the JVM keeps the class loader of a first job for good.
   */
  static void assertSteady(List<Left> left) {
    Left second = left.get(1);
    Left last = left.get(left.size() - 1);
    assertThat(last.loaders)
        .as("class loaders of jobs in %s", left)
        .isLessThanOrEqualTo(second.loaders);
    assertThat(last.threads)
        .as("threads by name, after the last job and after the second")
        .allSatisfy(
            (name, count) ->
                assertThat(count)
                    .as(name)
                    .isLessThanOrEqualTo(second.threads.getOrDefault(name, 0)));
    assertThat(last.bytes - second.bytes)
        .as("bytes by which the process grew after the second job, %s", left)
        .isLessThan(LEAK_BYTES * (left.size() - 2));
  }
}
