// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.engine.PrefillTuner;
import io.everwatch.operators.model.TuningProfile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures a device for its tuning profile. */
@Command(
    name = "tune",
    description = {
      "Measure this device for long prefills and write its tuning profile.",
      "Times dense and sparse attention at a grid of lengths, and the rows of a pass. Give the file",
      "to the job as engine.tuning-profile, to other commands as --tuning-profile. Nothing else",
      "should run on the device meanwhile."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class TuneCommand implements Callable<Integer> {
  /** Half an hour of 720p at eight frames a second has about as many rows. */
  private static final int GPU_ROWS = 1 << 17;

  private static final int CPU_ROWS = 1 << 13;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private ModelOptions model = new ModelOptions();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "Where the profile goes; an older one is replaced when all is measured.")
  private Path out = Path.of("");

  @Option(
      names = "--max-rows",
      paramLabel = "N",
      description = "Most keys that are measured (default: 131072 on a GPU, 8192 on the CPU).")
  private int maxRows;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      defaultValue = "7",
      description = "Runs of each point, whose median counts (default: ${DEFAULT-VALUE}).")
  private int repetitions = 7;

  @Override
  public Integer call() throws IOException {
    Path folder = out.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder) || Files.isDirectory(out)) {
      throw new CliException(
          "cannot write %s; expected a file in a folder that exists; create the folder first"
              .formatted(out));
    }
    TuningProfile profile =
        PrefillTuner.measure(
            model.engineOptions(), effort(), new Lines(spec.commandLine().getErr()));
    profile.write(out);
    report(profile, spec.commandLine().getOut());
    return ExitCodes.OK;
  }

  private PrefillTuner.Effort effort() {
    int usual = model.device().equals(DeviceName.CPU) ? CPU_ROWS : GPU_ROWS;
    try {
      return new PrefillTuner.Effort(maxRows == 0 ? usual : maxRows, repetitions);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          spec.commandLine(), "--max-rows, --repetitions: " + e.getMessage(), e);
    }
  }

  /** Each number as it comes: a grid takes minutes. */
  private record Lines(PrintWriter err) implements PrefillTuner.Progress {
    @Override
    public void piece(int rows, double rowsPerSecond) {
      err.println(
          String.format(Locale.ROOT, "prompt of %d rows: %.0f rows a second", rows, rowsPerSecond));
    }

    @Override
    public void attention(
        int queries, int keys, double denseMicros, double sparseMicros, double density) {
      err.println(
          String.format(
              Locale.ROOT,
              "%d new of %d rows: dense %.1f us, sparse %.1f us, density %.2f",
              queries,
              keys,
              denseMicros,
              sparseMicros,
              density));
    }
  }

  /** Dense time over sparse time of each point; a star where prefills will be sparse. */
  private void report(TuningProfile profile, PrintWriter to) {
    to.println("dense time / sparse time of one layer's attention; * = prefills are sparse here");
    StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%10s", "new \\ keys"));
    profile.keys().forEach(keys -> head.append(String.format(Locale.ROOT, "%9d", keys)));
    to.println(head);
    List<Integer> keys = profile.keys();
    for (int i = 0; i < profile.queries().size(); i++) {
      int queries = profile.queries().get(i);
      StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%10d", queries));
      for (int j = 0; j < keys.size(); j++) {
        double ratio = profile.denseMicros()[i][j] / profile.sparseMicros()[i][j];
        boolean sparse = profile.sparse(profile.selector(), queries, keys.get(j));
        line.append(
            Double.isNaN(ratio)
                ? " ".repeat(9)
                : String.format(Locale.ROOT, "%8.2f%s", ratio, sparse ? "*" : " "));
      }
      to.println(line.toString().stripTrailing());
    }
    to.println("pieces of %d rows".formatted(profile.piece()));
    to.println("%s: digest %.16s".formatted(out, profile.digest()));
    to.flush();
  }
}
