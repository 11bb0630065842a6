// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import io.everwatch.job.topology.EverwatchJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessSpec;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;

/**
 * What a Flink distribution has, from the built jars: a class path with Flink and the runtime,
 * {@code conf/} with the configuration of {@code deploy} and what a test sets otherwise. Makes the
 * command lines of the processes.
 */
final class FlinkHome {
  static final String MAIN = EverwatchJob.class.getName();
  static final Path ALL = built("target/everwatch-all.jar");
  static final Path JOB = built("target/everwatch-job.jar");
  static final Path RUNTIME = built("../operators/target/everwatch-runtime.jar");
  private static final Path GPU_PLUGIN = built("../operators/target/everwatch-gpu.jar");
  private static final Path FLINK = built("target/flink-lib");
  private static final Path DEPLOY = built("../deploy/conf");

  /** flink-datastream reflects on a class of java.util; see deploy/cluster.sh. */
  private static final String OPENS = "--add-opens=java.base/java.util=ALL-UNNAMED";

  private final Path dir;
  private final Map<String, String> settings;
  private final List<String> jvmFlags;
  private Path runtime = RUNTIME;
  private Path job = JOB;

  /**
   * @param settings of Flink, beside and instead of those of {@code deploy/conf/config.yaml}
   * @param jvmFlags of every process
   */
  FlinkHome(Path dir, Map<String, String> settings, List<String> jvmFlags) throws IOException {
    this.dir = dir;
    this.settings = Map.copyOf(settings);
    this.jvmFlags = List.copyOf(jvmFlags);
    Files.createDirectories(dir.resolve("plugins"));
    Files.createDirectories(conf());
    Files.copy(DEPLOY.resolve("log4j2.properties"), conf().resolve("log4j2.properties"));
    List<String> lines = new ArrayList<>();
    // The whole configuration on one level: a key may stand once only.
    new TreeMap<>(configuration().toMap())
        .forEach((key, value) -> lines.add("%s: '%s'".formatted(key, value.replace("'", "''"))));
    Files.write(conf().resolve("config.yaml"), lines);
  }

  /** What {@code deploy/conf/gpu.yaml} adds to the configuration. */
  static Map<String, String> gpuSettings() throws IOException {
    return Files.readAllLines(DEPLOY.resolve("gpu.yaml")).stream()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.split(": ", 2))
        .collect(Collectors.toMap(entry -> entry[0], entry -> entry[1]));
  }

  /** The plugin of which {@link #gpuSettings} speak. */
  void installGpuPlugin() throws IOException {
    Path folder = Files.createDirectories(dir.resolve("plugins/everwatch-gpu"));
    Files.copy(GPU_PLUGIN, folder.resolve(GPU_PLUGIN.getFileName()));
  }

  /** The jars of processes that are started, and of jobs that are submitted, from now on. */
  void install(Path runtimeJar, Path jobJar) {
    runtime = runtimeJar.toAbsolutePath();
    job = jobJar.toAbsolutePath();
  }

  Path job() {
    return job;
  }

  Map<String, String> environment() {
    return Map.of(
        "FLINK_CONF_DIR", conf().toString(),
        "FLINK_PLUGINS_DIR", dir.resolve("plugins").toString(),
        "FLINK_LIB_DIR", FLINK.toString());
  }

  List<String> broker(int port) {
    List<String> line = new ArrayList<>(jvmFlags);
    line.addAll(List.of("-Xmx256m", "-jar", ALL.toString(), "broker"));
    line.addAll(List.of("--dir", dir.resolve("kafka").toString(), "--port", "" + port));
    return line;
  }

  List<String> sessionJobManager() {
    return jobManager(
        "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "", List.of());
  }

  /** Runtime and job on one class path; the job is the process's own. */
  List<String> applicationJobManager(Optional<String> from, List<String> arguments) {
    List<String> own = new ArrayList<>(List.of("--job-classname", MAIN));
    from.ifPresent(path -> own.addAll(List.of("--fromSavepoint", path)));
    own.addAll(arguments);
    return jobManager(
        "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
        ":" + job,
        own);
  }

  private List<String> jobManager(String main, String more, List<String> own) {
    JobManagerProcessSpec sizes = JobManagerProcessUtils.processSpecFromConfig(configuration());
    List<String> line =
        java(ProcessMemoryUtils.generateJvmParametersStr(sizes), List.of(), more, main, List.of());
    line.addAll(words(JobManagerProcessUtils.generateDynamicConfigsStr(sizes)));
    line.addAll(own);
    return line;
  }

  /**
   * @param settings of the cluster: what is on its class path, flags besides those of all
   */
  List<String> taskManager(String name, ClusterBuilder settings) {
    TaskExecutorProcessSpec sizes = TaskExecutorProcessUtils.processSpecFromConfig(configuration());
    List<String> line =
        java(
            ProcessMemoryUtils.generateJvmParametersStr(sizes),
            settings.taskManagerClasses,
            settings.application != null ? ":" + job : "",
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            settings.taskManagerFlags);
    line.addAll(words(TaskExecutorProcessUtils.generateDynamicConfigsStr(sizes)));
    line.addAll(List.of("-D", "taskmanager.resource-id=" + name));
    return line;
  }

  /** {@code flink …}, the command line of a distribution. */
  List<String> client(List<String> arguments) {
    List<String> line = new ArrayList<>(jvmFlags);
    line.addAll(List.of("-Xmx256m", OPENS, log4j(), "-cp", classPath()));
    line.add("org.apache.flink.client.cli.CliFrontend");
    line.addAll(arguments);
    return line;
  }

  private List<String> java(
      String sizes, List<Path> first, String more, String main, List<String> flags) {
    List<String> line = new ArrayList<>(words(sizes));
    line.addAll(jvmFlags);
    line.addAll(flags);
    line.addAll(
        List.of(
            OPENS,
            log4j(),
            "-Dorg.bytedeco.javacpp.cachedir=" + built("target/javacpp-it"),
            "-Deverwatch.cache.dir=" + dir.resolve("cache")));
    String before = first.stream().map(path -> path + ":").collect(Collectors.joining());
    line.addAll(
        List.of("-cp", before + classPath() + more, main, "--configDir", conf().toString()));
    return line;
  }

  private String log4j() {
    return "-Dlog4j2.configurationFile=" + conf().resolve("log4j2.properties");
  }

  private String classPath() {
    return FLINK + "/*:" + runtime;
  }

  private Path conf() {
    return dir.resolve("conf");
  }

  private Configuration configuration() {
    Configuration all = new Configuration();
    GlobalConfiguration.loadConfiguration(DEPLOY.toString()).toMap().entrySet().stream()
        // Its ports would have to be free ones; what is measured comes by REST.
        .filter(entry -> !entry.getKey().startsWith("metrics.reporter"))
        .forEach(entry -> all.setString(entry.getKey(), entry.getValue()));
    settings.forEach(all::setString);
    return all;
  }

  private static List<String> words(String line) {
    return List.of(line.trim().split("\\s+"));
  }

  private static Path built(String path) {
    return Path.of(path).toAbsolutePath().normalize();
  }
}
