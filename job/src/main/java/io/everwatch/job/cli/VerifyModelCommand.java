// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.BackendOptions;
import io.everwatch.kernels.Backends;
import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.verify.GoldenResult;
import io.everwatch.operators.verify.GoldenSuite;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Holds this build's numbers against the published model's. */
@Command(
    name = "verify-model",
    description = {
      "Compare this build with golden cases of the published model, number by number.",
      "Those of sparse prefill attention are *.safetensors in DIR or in a folder of it.",
      "One JSON line per case with its worst error; exit code 1 when any is above its limit, or none",
      "was found."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class VerifyModelCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--golden",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of golden cases, such as operators/src/test/golden/qwen2_5_vl or .../flexprefill.")
  private Path golden = Path.of("");

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      converter = DeviceConverter.class,
      description = "What computes: cpu, cuda, cuda:1 or auto (default: ${DEFAULT-VALUE}).")
  private DeviceName device = DeviceName.CPU;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      converter = DTypeConverter.class,
      description =
          "Type to compute in, and whose limits apply: f32, bf16 (default: bf16 on a GPU, f32 on the CPU).")
  private @Nullable DType dtype;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU back end (default: one per processor).")
  private int threads;

  @Option(
      names = "--plain-products",
      description = "Use the plain Java products, the reference, instead of the library.")
  private boolean plainProducts;

  private int cases;
  private int failures;

  @Override
  public Integer call() {
    if (!Files.isDirectory(golden)) {
      throw new CliException(
          "there is no folder %s; expected golden cases, such as those of operators/src/test/golden/qwen2_5_vl"
              .formatted(golden));
    }
    PrintWriter out = spec.commandLine().getOut();
    int used = threads > 0 ? threads : BackendOptions.defaults().threads();
    BackendOptions options =
        new BackendOptions(used, plainProducts, Optional.ofNullable(dtype), device.index());
    try (Backend backend = Backends.open(device, options)) {
      GoldenSuite.run(golden, backend, result -> report(result, out));
    }
    spec.commandLine()
        .getErr()
        .println("%d cases, %d above their limit".formatted(cases, failures));
    if (cases == 0) {
      throw new CliException(
          "no golden case in %s; expected its groups as folders, or files of flexprefill: %s"
              .formatted(golden, String.join(", ", GoldenSuite.groups())));
    }
    return failures == 0 ? ExitCodes.OK : ExitCodes.FAILURE;
  }

  private void report(GoldenResult result, PrintWriter out) {
    cases++;
    failures += result.passed() ? 0 : 1;
    ObjectNode line = JsonNodeFactory.instance.objectNode();
    line.put("group", result.group()).put("case", result.name());
    if (Double.isFinite(result.worst())) {
      line.put("worst", result.worst());
    } else {
      line.putNull("worst"); // JSON has no NaN
    }
    line.put("limit", result.limit()).put("passed", result.passed());
    if (!result.detail().isEmpty()) {
      line.put("detail", result.detail());
    }
    out.println(line);
    out.flush();
  }
}
