// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.operators.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Every form of {@code config.json} must say the same as the checkpoint's own. */
final class ConfigsGroup implements GoldenGroup {
  private static final String MIDDLE = "_config_";

  @Override
  public String name() {
    return "configs";
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) throws IOException {
    List<String> files;
    try (Stream<Path> listed = Files.list(context.path(name()))) {
      files =
          listed
              .map(path -> String.valueOf(path.getFileName()))
              .filter(file -> file.contains(MIDDLE) && !file.contains("processor"))
              .sorted()
              .toList();
    }
    for (String file : files) {
      String checkpoint = file.substring(0, file.indexOf(MIDDLE));
      report.exact(
          file,
          () ->
              Differences.between(
                  ModelConfig.read(context.path(name()).resolve(file)),
                  ModelConfig.read(context.path(checkpoint).resolve("config.json"))));
    }
  }
}
