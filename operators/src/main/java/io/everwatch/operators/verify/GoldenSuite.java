// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.kernels.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Runs every case of a directory laid out like {@code golden/qwen2_5_vl}: folders of cases and the
 * small checkpoints that they name. Folders that are not there are passed over. Files in the layout
 * of {@code golden/flexprefill} may lie in it or in a folder of it.
 */
public final class GoldenSuite {
  /** In the order in which an implementation comes to life: each group rests on those before. */
  private static final List<GoldenGroup> GROUPS =
      List.of(
          new DtypesGroup(),
          new ConfigsGroup(),
          new TokenizerGroup(),
          new ChatGroup(),
          new ProcessorGroup(),
          new PositionsGroup(),
          new VisionGroup(),
          new ForwardGroup(),
          new GenerationGroup(),
          new SamplingGroup(),
          new StreamingGroup(),
          new FlexPrefillGroup());

  private GoldenSuite() {}

  /** Names of all groups, in the order of their run. */
  public static List<String> groups() {
    return GROUPS.stream().map(GoldenGroup::name).toList();
  }

  /**
   * Runs what the directory has. A case that cannot be run, or a list of cases that cannot be read,
   * is a failed result.
   *
   * @param backend for the cases with numbers; checkpoints are loaded on it
   * @param out hears each result as it comes
   */
  public static void run(Path directory, Backend backend, Consumer<GoldenResult> out) {
    run(directory, name -> true, backend, out);
  }

  /**
   * As the other one.
   *
   * @param wanted by a group's name
   */
  public static void run(
      Path directory, Predicate<String> wanted, Backend backend, Consumer<GoldenResult> out) {
    GoldenContext context = new GoldenContext(directory, backend);
    for (GoldenGroup group : GROUPS) {
      if (wanted.test(group.name()) && group.isPresent(context)) {
        GoldenReport report = new GoldenReport(group.name(), out);
        try {
          group.run(context, report);
        } catch (IOException | RuntimeException e) {
          report.failed("list of cases", GoldenLimits.EXACT, e);
        }
      }
    }
  }
}
