// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import io.everwatch.operators.engine.EngineOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model on which device, for commands that run the engine; a mix-in. */
public final class ModelOptions {
  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "everwatch-tiny",
      description =
          "A shipped model, the folder of a Qwen2.5-VL checkpoint, or random:qwen2.5-vl-7b (3b, tiny) to"
              + " time a shape without its weights (default: ${DEFAULT-VALUE}).")
  private String model = "everwatch-tiny";

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
      description = "Type to compute in: f32, bf16 (default: bf16 on a GPU, f32 on the CPU).")
  private @Nullable DType dtype;

  @Option(
      names = "--tuning-profile",
      paramLabel = "FILE",
      description =
          "What everwatch tune measured of this device; decides where long prompts are sparse"
              + " (default: they are dense).")
  private @Nullable Path tuningProfile;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU back end (default: one per processor).")
  private int threads;

  @Option(
      names = "--streaming",
      paramLabel = "KEY=VALUE",
      description = "Overrides a setting of the model's streaming.json; repeatable.")
  private Map<String, String> streaming = new LinkedHashMap<>();

  /** A shipped model's name, or the folder's path. */
  public String model() {
    return model;
  }

  public DeviceName device() {
    return device;
  }

  /** What the engine is opened with, the rest at its defaults. */
  public EngineOptions engineOptions() {
    EngineOptions.Builder options =
        EngineOptions.builder(model)
            .device(device)
            .dtype(dtype)
            .tuningProfile(tuningProfile == null ? null : tuningProfile.toString())
            .overrides(streaming);
    return (threads > 0 ? options.threads(threads) : options).build();
  }

  /** The same as settings of a job, by the keys of its configuration. */
  public Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("model", model);
    settings.put("device", device.toString());
    if (dtype != null) {
      settings.put("engine.dtype", dtype.name().toLowerCase(Locale.ROOT));
    }
    if (tuningProfile != null) {
      settings.put("engine.tuning-profile", tuningProfile.toAbsolutePath().toString());
    }
    settings.put("threads", Integer.toString(threads));
    streaming.forEach((key, value) -> settings.put("streaming." + key, value));
    return settings;
  }
}
