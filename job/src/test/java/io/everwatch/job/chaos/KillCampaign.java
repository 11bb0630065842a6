// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import io.everwatch.job.audit.AuditOptions;
import io.everwatch.job.audit.AuditReport;
import io.everwatch.job.audit.TopicAudit;
import io.everwatch.job.audit.Violation;
import io.everwatch.job.broker.TopicNames;
import io.everwatch.job.chaos.KillLedger.Entry;
import io.everwatch.job.chaos.KillLedger.Outcome;
import io.everwatch.job.chaos.KillPlan.Kill;
import io.everwatch.job.chaos.KillPlan.Target;
import io.everwatch.job.process.Cameras;
import io.everwatch.job.process.Cluster;
import io.everwatch.job.process.CommittedText;
import io.everwatch.job.process.JvmProcess;
import io.everwatch.job.process.Uninterrupted;
import io.everwatch.job.topology.Checkpoints;
import io.everwatch.schemas.TextReaderOptions.Reading;
import io.everwatch.schemas.WireFormat;
import io.everwatch.schemas.avro.TextEvent;
import io.everwatch.schemas.avro.TextKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * {@code kill -9} of TaskManagers, JobManager and broker, by a seeded plan, while cameras publish:
 * at the end the committed text equals, byte for byte, that of a job that nothing happens to, and
 * the audit finds nothing. What an operator would do is done at once: a killed process is started
 * again; after a killed JobManager the job is submitted from its newest retained checkpoint.
 *
 * <pre>
 *   --kills 30 --seed 1 --cameras 4
 *   --dir target/kills          logs, records and checkpoints
 *   --out kills.md              the ledger
 * </pre>
 *
 * Exit code 1 when a stream differs, the audit is not clean, or the text does not go on.
 */
public final class KillCampaign {
  private static final int TASK_MANAGERS = 2;
  private static final String GROUP = "chaos";
  private static final TopicNames TOPICS = TopicNames.defaults();
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private final List<Kill> plan;
  private final KillLedger ledger;
  private final int cameras;
  private final Path dir;
  private final Consumer<String> progress;
  private String job = "";

  /**
   * @param dir a directory of its own
   */
  KillCampaign(long seed, List<Kill> plan, int cameras, Path dir, Consumer<String> progress) {
    this.plan = List.copyOf(plan);
    this.ledger = new KillLedger(seed);
    this.cameras = cameras;
    this.dir = dir;
    this.progress = progress;
  }

  public static void main(String[] arguments) throws Exception {
    Arguments options =
        new Arguments(
            Map.of(
                "kills", "30",
                "seed", "1",
                "cameras", "4",
                "dir", "target/kills",
                "out", "kills.md"),
            arguments);
    long seed = options.number("seed");
    KillCampaign campaign =
        new KillCampaign(
            seed,
            KillPlan.of(seed, options.integer("kills"), /* doubles= */ true),
            options.integer("cameras"),
            options.runFolder(),
            System.out::println);
    Outcome outcome = campaign.run();
    List<String> page = new ArrayList<>(List.of(outcome.line(), ""));
    page.addAll(campaign.ledger.summary());
    page.addAll(List.of("", KillLedger.HEAD));
    page.addAll(campaign.ledger.rows(outcome));
    Files.write(Path.of(options.text("out")), page);
    System.out.println(outcome.line());
    System.exit(outcome.good() ? 0 : 1);
  }

  KillLedger ledger() {
    return ledger;
  }

  Outcome run() throws Exception {
    try (Cluster cluster = Cluster.at(dir.resolve("cluster")).taskManagers(TASK_MANAGERS).start()) {
      job = cluster.jobs().submit("group", GROUP);
      long published;
      Map<String, List<String>> said;
      int changed;
      try (Cameras roads =
              new Cameras(cluster.clientProperties(), TOPICS.frames(), cameras, 1, 1.0);
          TextArrivals live = new TextArrivals(cluster.brokers(), TOPICS.text(), Reading.LIVE);
          TextArrivals committed =
              new TextArrivals(cluster.brokers(), TOPICS.text(), Reading.COMMITTED)) {
        long begin = System.currentTimeMillis();
        awaitAll(cluster, committed, begin);
        for (Kill kill : plan) {
          Thread.sleep(kill.pause().toMillis()); // the plan: the moment comes from the seed
          ledger.add(strike(cluster, kill, begin, live, committed));
          progress.accept(last());
        }
        published = roads.end();
        try (CommittedText text = new CommittedText(cluster.clientProperties(), TOPICS.text())) {
          said = comparable(text.awaitEnded(cameras, LIMIT).bytes());
        }
        changed = live.changed();
      }
      cluster.jobs().cancel(job);
      Map<String, List<String>> expected =
          comparable(
              Uninterrupted.text(
                  cluster, TOPICS, cameras, dir.resolve("uninterrupted"), LIMIT.multipliedBy(3)));
      return outcome(cluster, published, said, expected, changed);
    }
  }

  private Entry strike(
      Cluster cluster, Kill kill, long begin, TextArrivals live, TextArrivals committed)
      throws Exception {
    JvmProcess victim = victim(cluster, kill.target(), kill.victim());
    if (kill.sinceTrigger().isPresent()) {
      cluster.rest().triggerCheckpoint(job);
      Thread.sleep(kill.sinceTrigger().get().toMillis()); // the plan: so far into it
    }
    Map<String, Long> chunks = committed.lastChunks();
    long at = System.currentTimeMillis();
    victim.kill();
    if (kill.second().isPresent()) {
      Thread.sleep(kill.secondAfter().toMillis()); // the plan
      // The first one may be coming back by then, as under a supervisor.
      if (kill.secondAfter().compareTo(kill.outage()) > 0) {
        restart(cluster);
      }
      JvmProcess second = victim(cluster, kill.second().get(), kill.victim() + 1);
      if (second.isAlive()) {
        second.kill();
      }
    }
    Thread.sleep(kill.outage().toMillis()); // the plan: how long nobody starts it again
    restart(cluster);
    resume(cluster);
    awaitAll(cluster, committed, at);
    Map<String, Long> read = committed.firstReadAfter(at);
    long first = Collections.min(read.values());
    long all = Collections.max(read.values());
    return new Entry(
        kill,
        (at - begin) / 1e3,
        chunks,
        (first - at) / 1e3,
        (all - at) / 1e3,
        live.longestSilence(at, all) / 1e3);
  }

  private JvmProcess victim(Cluster cluster, Target target, int which) throws Exception {
    return switch (target) {
      case TASK_MANAGER -> {
        List<JvmProcess> working = working(cluster);
        yield working.get(Math.floorMod(which, working.size()));
      }
      case JOB_MANAGER -> cluster.jobManager();
      case BROKER -> cluster.broker();
    };
  }

  /** TaskManagers with a subtask of the job; all, when there is no JobManager to say so. */
  private List<JvmProcess> working(Cluster cluster) throws InterruptedException {
    try {
      List<String> names = new OperatorFigures(cluster.rest(), job).taskManagers();
      List<JvmProcess> found =
          cluster.taskManagers().stream()
              .filter(process -> names.contains(process.name()))
              .toList();
      return found.isEmpty() ? cluster.taskManagers() : found;
    } catch (IOException noJobManager) {
      return cluster.taskManagers();
    }
  }

  /** Starts what was killed; does not wait for it. */
  private static void restart(Cluster cluster) throws Exception {
    List<JvmProcess> all = new ArrayList<>(cluster.taskManagers());
    all.add(cluster.jobManager());
    all.add(cluster.broker());
    for (JvmProcess process : all) {
      if (!process.isAlive()) {
        process.start();
      }
    }
  }

  /** A new JobManager knows of no job: it gets the newest retained checkpoint. */
  private void resume(Cluster cluster) throws Exception {
    cluster.awaitBroker();
    cluster.await("an answer of the JobManager", () -> cluster.rest().taskManagers() >= 0);
    if (cluster.rest().jobs().containsKey(job)) {
      return;
    }
    cluster.awaitTaskManagers(TASK_MANAGERS);
    Path newest =
        Checkpoints.newest(cluster.checkpoints().resolve(GROUP).toString())
            .orElseThrow(() -> new AssertionError("no checkpoint is kept"));
    job = cluster.jobs().submit(Optional.of(newest.toUri().toString()), "group", GROUP);
  }

  private void awaitAll(Cluster cluster, TextArrivals committed, long since) throws Exception {
    cluster.await(
        "committed text of all streams after the kill",
        () -> committed.streamsDoneAfter(since).size() == cameras);
  }

  private String last() {
    List<Entry> all = ledger.entries();
    Entry entry = all.get(all.size() - 1);
    return "%d of %d at %.0f s: %s, %s; text goes on after %.1f s, all streams %.1f s"
        .formatted(
            all.size(),
            plan.size(),
            entry.atSeconds(),
            entry.kill().victims(),
            entry.kill().moment(),
            entry.firstSeconds(),
            entry.allSeconds());
  }

  /** Without STALE, which tells of the wall clock and is no part of the comparison. */
  private static Map<String, List<String>> comparable(Map<String, List<String>> text)
      throws Exception {
    Map<String, List<String>> kept = new TreeMap<>();
    for (Map.Entry<String, List<String>> stream : text.entrySet()) {
      List<String> events = new ArrayList<>();
      for (String event : stream.getValue()) {
        if (decode(event).getKind() != TextKind.STALE) {
          events.add(event);
        }
      }
      kept.put(stream.getKey(), events);
    }
    return kept;
  }

  private static TextEvent decode(String bytes) throws Exception {
    return WireFormat.decodeText(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  private Outcome outcome(
      Cluster cluster,
      long published,
      Map<String, List<String>> said,
      Map<String, List<String>> expected,
      int changed)
      throws Exception {
    long events = said.values().stream().mapToLong(List::size).sum();
    List<Violation> violations = new ArrayList<>();
    AuditReport audit =
        TopicAudit.run(
            new AuditOptions(
                cluster.clientProperties(),
                TOPICS,
                Set.of(),
                /* frames= */ true,
                /* atLeastOnce= */ false,
                Duration.ofSeconds(30)),
            violations::add);
    violations.forEach(violation -> progress.accept(violation.line()));
    return new Outcome(
        KillLedger.firstDifferent(expected, said),
        events,
        audit.clean() ? "clean" : "%d violations".formatted(audit.violations()),
        audit.clean(),
        published,
        audit.frames().found(),
        changed);
  }
}
