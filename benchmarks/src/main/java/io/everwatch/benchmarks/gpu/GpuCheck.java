// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.everwatch.benchmarks.gpu.Ledger.Next;
import io.everwatch.kernels.DeviceName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What the script {@code kernels/gpu-check} calls, once per part and process:
 *
 * <pre>
 * GpuCheck begin  --out DIR --sizes full|tiny --device NAME --commit ID
 * GpuCheck PART   --out DIR --seconds-left N --data DIR [--only REGEX] [--label NAME]
 * GpuCheck note   --out DIR --part PART --item NAME --status SKIPPED|FAILED|PASSED [--why TEXT]
 * GpuCheck report --out DIR
 * GpuCheck page   [RESULTS]
 * </pre>
 *
 * <p>Exit codes: 0 all of it is done and agreed, 1 all of it is done and something did not, 2 wrong
 * use, 3 the time is over, 4 go on in a new process.
 */
public final class GpuCheck {
  private static final int DONE = 0;
  private static final int FAILED = 1;
  private static final int WRONG_USE = 2;
  private static final int TIME_IS_OVER = 3;
  private static final int AGAIN = 4;

  private static final String RUN = "run.json";
  private static final JsonMapper JSON = new JsonMapper();

  /** Where the tests of the kernels are, and those of the whole engine on them. */
  private static final List<String> KERNEL_TESTS = List.of("io.everwatch.kernels.cuda");

  private static final List<String> ENGINE_TESTS = List.of("io.everwatch.operators.engine");
  private static final String ALL = ".*";

  private final Map<String, String> options;

  private GpuCheck(Map<String, String> options) {
    this.options = options;
  }

  public static void main(String[] args) throws Exception {
    if (args.length == 0) {
      System.err.println("gpu-check: no part is named; see kernels/gpu-check --help");
      System.exit(WRONG_USE);
    }
    if (args[0].equals("page")) {
      System.out.print(
          GpuPage.of(args.length > 1 ? Results.read(Path.of(args[1])) : GpuPage.NOTHING));
      return;
    }
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 1; i + 1 < args.length; i += 2) {
      options.put(args[i], args[i + 1]);
    }
    // Not by returning: a device that hangs has threads that do.
    Runtime.getRuntime().halt(flushed(new GpuCheck(options).run(args[0])));
  }

  private static int flushed(int code) {
    System.out.flush();
    System.err.flush();
    return code;
  }

  private int run(String part) throws IOException {
    Path directory = Path.of(options.getOrDefault("--out", "gpu-check"));
    return switch (part) {
      case "begin" -> begin(directory);
      case "report" -> report(directory);
      case "note" -> note(directory);
      default -> part(part, directory);
    };
  }

  /** Writes down what is run; results of another run are not gone on with. */
  private int begin(Path directory) throws IOException {
    Map<String, String> run = new LinkedHashMap<>();
    for (String name : List.of("commit", "sizes", "device")) {
      run.put(name, options.getOrDefault("--" + name, ""));
    }
    run.put("emulated", Boolean.toString(emulated()));
    Path file = directory.resolve(RUN);
    if (Files.exists(file)) {
      Map<String, String> before = runOf(directory);
      before.remove("begun");
      if (!before.equals(run)) {
        System.err.printf(
            "gpu-check: %s holds results of %s, but this is %s; expected the same; name another folder with --out, or begin anew with --fresh%n",
            directory, before, run);
        return WRONG_USE;
      }
      return DONE;
    }
    run.put("begun", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    Files.createDirectories(directory);
    JSON.writeValue(file.toFile(), run);
    JSON.writeValue(
        directory.resolve("shapes.json").toFile(),
        Shapes.of(options.getOrDefault("--sizes", "")).forPeer());
    return DONE;
  }

  private static boolean emulated() {
    return !System.getProperty("everwatch.cuda.emulation", "").isEmpty();
  }

  @SuppressWarnings("unchecked") // written above
  private static Map<String, String> runOf(Path directory) throws IOException {
    return JSON.readValue(directory.resolve(RUN).toFile(), LinkedHashMap.class);
  }

  private int part(String part, Path directory) throws IOException {
    Map<String, String> run = runOf(directory);
    Shapes shapes = Shapes.of(String.valueOf(run.get("sizes")));
    Check check =
        new Check(
            DeviceName.parse(String.valueOf(run.get("device"))),
            shapes,
            shapes.name().equals("full") ? Timing.FULL : Timing.TINY,
            directory,
            Path.of(options.getOrDefault("--data", ".")));
    long until =
        System.nanoTime()
            + TimeUnit.SECONDS.toNanos(
                Long.parseLong(options.getOrDefault("--seconds-left", "36000")));
    Ledger ledger = new Ledger(part, directory, () -> System.nanoTime() - until > 0);
    String only = options.getOrDefault("--only", ALL);
    switch (part) {
      case "driver" -> new DriverPart(check).run(ledger);
      case "kernels", "sanitizer" ->
          new TestsPart(KERNEL_TESTS, only, options.getOrDefault("--label", "")).run(ledger);
      case "golden" -> {
        new GoldenPart(check).run(ledger);
        if (only.equals(ALL)) {
          new TestsPart(ENGINE_TESTS, "Gpu.*Test", "").run(ledger);
        }
      }
      case "gemm" -> new GemmPart(check).run(ledger);
      case "attention" -> new AttentionPart(check).run(ledger);
      case "sparse" -> new SparsePart(check).run(ledger);
      case "engine" -> new EnginePart(check).run(ledger);
      case "job" -> new JobPart(check).run(ledger);
      default -> {
        System.err.printf(
            "gpu-check: there is no part '%s'; expected one of %s%n",
            part, String.join(", ", Results.PARTS));
        return WRONG_USE;
      }
    }
    if (ledger.next() != Next.NOTHING) {
      return ledger.next() == Next.ANOTHER_CALL ? TIME_IS_OVER : AGAIN;
    }
    return ledger.failed() ? FAILED : DONE;
  }

  /** What the script itself found out. */
  private int note(Path directory) {
    Ledger.append(
        directory,
        new Item(
            options.getOrDefault("--part", ""),
            options.getOrDefault("--item", ""),
            Item.Status.valueOf(options.getOrDefault("--status", "")),
            0,
            options.getOrDefault("--why", ""),
            Map.of()));
    return DONE;
  }

  private static int report(Path directory) throws IOException {
    Map<String, String> run = runOf(directory);
    Results results = Results.collect(run, directory);
    results.write(directory.resolve("gpu-check.json"));
    Files.writeString(
        directory.resolve("gpu-check.md"),
        Report.of(results, Shapes.of(String.valueOf(run.get("sizes")))));
    System.err.println("gpu-check: " + Report.verdict(results));
    System.err.println("gpu-check: " + directory.resolve("gpu-check.md"));
    return results.items().stream()
            .anyMatch(
                item -> item.status() == Item.Status.FAILED || item.status() == Item.Status.STARTED)
        ? FAILED
        : DONE;
  }
}
