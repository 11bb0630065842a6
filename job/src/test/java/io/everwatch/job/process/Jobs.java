// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The jobs of a {@link Cluster}; each is named by its ID. Every call waits for its effect. */
public final class Jobs {
  private final Cluster cluster;
  private String jar = "";
  private int jarOfStart;

  Jobs(Cluster cluster) {
    this.cluster = cluster;
  }

  /**
   * Submits by REST and waits until all subtasks run.
   *
   * @param keysAndValues of the job's configuration, instead of those of {@link #arguments}
   * @return the job's ID
   */
  public String submit(String... keysAndValues) throws Exception {
    return submit(Optional.empty(), keysAndValues);
  }

  /**
   * The same from a savepoint or checkpoint.
   *
   * @param from savepoint or checkpoint to begin with
   */
  public String submit(Optional<String> from, String... keysAndValues) throws Exception {
    String job = send(from, keysAndValues);
    awaitRuns(job);
    return job;
  }

  /**
   * Submits a job that cannot start.
   *
   * @return why it failed, as the JobManager tells it
   */
  public String submitToFail(String... keysAndValues) throws Exception {
    String job = send(Optional.empty(), keysAndValues);
    cluster.await("the failure of job " + job, () -> cluster.rest().state(job).equals("FAILED"));
    return cluster.rest().get("/jobs/" + job + "/exceptions").toString();
  }

  private String send(Optional<String> from, String... keysAndValues) throws Exception {
    if (jarOfStart != cluster.jobManager().starts()) { // what was uploaded goes with its JobManager
      jar = cluster.rest().upload(cluster.jobJar());
      jarOfStart = cluster.jobManager().starts();
    }
    return cluster.rest().submit(jar, from, arguments(List.of(keysAndValues)));
  }

  /** The same through {@code flink run}, as a user does it. */
  public String flinkRun(String... keysAndValues) throws Exception {
    List<String> line =
        new ArrayList<>(List.of("run", "-d", "-c", FlinkHome.MAIN, cluster.jobJar().toString()));
    line.addAll(arguments(List.of(keysAndValues)));
    String said = cluster.flink(line.toArray(String[]::new));
    String job = said.replaceFirst("(?s).*submitted with JobID (\\p{XDigit}{32}).*", "$1");
    awaitRuns(job);
    return job;
  }

  /** The job of a cluster in application mode, once it runs. */
  public String application() throws Exception {
    cluster.await("the application's job", () -> cluster.rest().jobs().size() == 1);
    String job = cluster.rest().jobs().keySet().iterator().next();
    awaitRuns(job);
    return job;
  }

  /**
   * The job's arguments: short checkpoints, little memory, one thread, and what is given instead.
   */
  public List<String> arguments(List<String> keysAndValues) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("brokers", cluster.brokers());
    all.put("checkpoint.dir", cluster.checkpoints().toString());
    all.put("checkpoint.interval", "1 s");
    all.put("recovery.max-outage", "5 min");
    all.put("engine.kv-memory", "64 MiB");
    all.put("threads", "1");
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      all.put(keysAndValues.get(i), keysAndValues.get(i + 1));
    }
    List<String> arguments = new ArrayList<>();
    all.forEach((key, value) -> arguments.addAll(List.of("--" + key, value)));
    return arguments;
  }

  /** Returns when the job runs with all its subtasks. */
  public void awaitRuns(String job) throws Exception {
    cluster.await(
        "the start of job " + job,
        () -> {
          String state = cluster.rest().state(job);
          if (state.equals("FAILED") || state.equals("CANCELED")) {
            throw new AssertionError("the job is " + state + "; " + cluster.logs());
          }
          return cluster.rest().runs(job);
        });
  }

  /** Asks for another parallelism and waits until the job runs with it. */
  public void rescale(String job, int parallelism) throws Exception {
    cluster.rest().rescale(job, parallelism);
    cluster.await(
        "parallelism " + parallelism + " of job " + job,
        () -> cluster.rest().parallelism(job) == parallelism && cluster.rest().runs(job));
  }

  /** Cancels and waits until the job is gone; its checkpoints stay. */
  public void cancel(String job) throws Exception {
    cluster.rest().cancel(job);
    cluster.await("the end of job " + job, () -> cluster.rest().state(job).equals("CANCELED"));
  }

  /**
   * Stops with a native savepoint.
   *
   * @return where it lies, for {@link #submit(Optional, String...)}
   */
  public String stopWithSavepoint(String job) throws Exception {
    String request = cluster.rest().stopWithSavepoint(job, cluster.savepoints());
    cluster.await(
        "a savepoint of job " + job, () -> cluster.rest().savepoint(job, request).isPresent());
    cluster.await("the end of job " + job, () -> cluster.rest().state(job).equals("FINISHED"));
    return cluster.rest().savepoint(job, request).orElseThrow();
  }
}
