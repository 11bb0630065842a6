// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.job.broker.Brokers;
import io.everwatch.job.broker.UnreachableBrokerException;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.BackendProvider;
import io.everwatch.kernels.BackendProvider.Availability;
import io.everwatch.kernels.Backends;
import io.everwatch.operators.flink.gpu.GpuDiscovery;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code everwatch doctor}: what this machine offers, and what to do where it does not. */
@Command(
    name = "doctor",
    description =
        "Look at this machine: Java, memory, devices, the model and its settings, brokers. Each"
            + " with what to do; exit code 1 if something essential is missing.",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  private static final Duration REACHABLE = Duration.ofSeconds(5);
  private static final long ENOUGH_HEAP = 400L << 20;
  private static final long ENOUGH_DISK = 1L << 30;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ModelOptions model = new ModelOptions();

  @Option(
      names = "--brokers",
      paramLabel = "HOST:PORT[,…]",
      description = "Also ask these Kafka brokers.")
  private @Nullable String brokers;

  @Option(
      names = "--kafka",
      paramLabel = "KEY=VALUE",
      description = "Property of the Kafka client; repeatable.")
  private Map<String, String> properties = new LinkedHashMap<>();

  /**
   * One look.
   *
   * @param essential whether nothing works without it
   * @param advice what to do when not well
   */
  private record Finding(
      String what, boolean well, boolean essential, String detail, String advice) {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    List<Finding> findings = new ArrayList<>();
    findings.add(java());
    findings.add(memory());
    findings.add(disk());
    Backends.Choice chosen = Backends.choose(model.device());
    Backends.providers().forEach(provider -> findings.add(device(provider, chosen)));
    findings.add(new Finding("device", true, false, chosen.device() + ", " + chosen.reason(), ""));
    findings.add(taskSlots());
    List<String> settings = new ArrayList<>();
    findings.add(numerics(chosen));
    findings.add(model(settings));
    if (brokers != null) {
      findings.add(kafka(brokers));
    }
    for (Finding finding : findings) {
      out.println(
          "%-4s %-8s %s"
              .formatted(
                  finding.well ? "ok" : finding.essential ? "FAIL" : "-",
                  finding.what,
                  finding.detail));
      if (!finding.well && !finding.advice.isEmpty()) {
        out.println("              → " + finding.advice);
      }
    }
    if (!settings.isEmpty()) {
      out.println();
      settings.forEach(out::println);
    }
    out.flush();
    return findings.stream().anyMatch(finding -> finding.essential && !finding.well)
        ? ExitCodes.FAILURE
        : ExitCodes.OK;
  }

  private static Finding java() {
    int feature = Runtime.version().feature();
    return new Finding(
        "java",
        feature >= 17,
        true,
        "%s, %s, %d processors, %s"
            .formatted(
                Runtime.version(),
                System.getProperty("java.vendor"),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.arch")),
        "install Java 17 or newer and set JAVA_HOME");
  }

  private static Finding memory() {
    long heap = Runtime.getRuntime().maxMemory();
    return new Finding(
        "memory",
        heap >= ENOUGH_HEAP,
        true,
        "heap up to %s".formatted(mebibytes(heap)),
        "the demo needs about %s of heap; set EVERWATCH_JAVA_OPTS=-Xmx512m"
            .formatted(mebibytes(ENOUGH_HEAP)));
  }

  private static Finding disk() {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try {
      long free = Files.getFileStore(temporary).getUsableSpace();
      return new Finding(
          "disk",
          free >= ENOUGH_DISK && Files.isWritable(temporary),
          true,
          "%s free at %s".formatted(mebibytes(free), temporary),
          "checkpoints and unpacked libraries need space; free some, or set EVERWATCH_CACHE");
    } catch (IOException e) {
      return new Finding(
          "disk",
          false,
          true,
          "%s cannot be looked at: %s".formatted(temporary, e.getMessage()),
          "set EVERWATCH_CACHE to a directory that can be written");
    }
  }

  private static Finding device(BackendProvider provider, Backends.Choice chosen) {
    Availability availability = provider.availability();
    // Only the one that would be used must work; the others are for information.
    return new Finding(
        provider.name(),
        availability.usable(),
        provider.name().equals(chosen.device().backend()),
        availability.detail(),
        availability.advice());
  }

  /** What Flink's external resource would be here. */
  private static Finding taskSlots() {
    return new Finding(
        "slots",
        true,
        false,
        "a TaskManager in this environment offers " + GpuDiscovery.ofThisProcess().describe(),
        "");
  }

  /** What, beside the model, decides the bits: restored elsewhere, texts may differ in a word. */
  private static Finding numerics(Backends.Choice chosen) {
    try (Backend backend = Backends.open(chosen.device(), new BackendOptions(1, false))) {
      return new Finding("numerics", true, false, backend.numerics(), "");
    } catch (RuntimeException e) {
      return new Finding("numerics", false, false, Problems.describe(e), "see the device above");
    }
  }

  private Finding model(List<String> settings) {
    try {
      settings.addAll(ModelReport.settings(model.engineOptions()));
      return new Finding("model", true, true, ModelReport.describe(model.engineOptions()), "");
    } catch (RuntimeException e) {
      return new Finding("model", false, true, Problems.describe(e), "see --model");
    }
  }

  private Finding kafka(String address) {
    Map<String, Object> client = new HashMap<>(properties);
    client.put("bootstrap.servers", address);
    try {
      return new Finding("kafka", true, true, Brokers.requireReachable(client, REACHABLE), "");
    } catch (UnreachableBrokerException e) {
      return new Finding(
          "kafka",
          false,
          true,
          String.valueOf(e.getMessage()),
          "start the broker, or look at its listeners and advertised.listeners");
    }
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MiB", bytes >> 20);
  }
}
