// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import io.everwatch.operators.model.BadModelException;
import io.everwatch.operators.model.Safetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Sparse prefill attention: files that say so in their header, in the directory or in a folder of
 * it; a file is a case.
 */
final class FlexPrefillGroup implements GoldenGroup {
  private static final String ENDING = ".safetensors";

  @Override
  public String name() {
    return "flexprefill";
  }

  @Override
  public boolean isPresent(GoldenContext context) {
    return !files(context).isEmpty();
  }

  @Override
  public void run(GoldenContext context, GoldenReport report) {
    for (Path file : files(context)) {
      String name = String.valueOf(file.getFileName());
      report.shares(
          name.substring(0, name.length() - ENDING.length()),
          () -> FlexPrefillCase.read(file).compare(context.backend()));
    }
  }

  private List<Path> files(GoldenContext context) {
    try (Stream<Path> files = Files.walk(context.path(""), 2)) {
      return files
          .filter(file -> String.valueOf(file.getFileName()).endsWith(ENDING))
          .filter(this::isCase)
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file that cannot be read is one of ours where its folder says so. */
  private boolean isCase(Path file) {
    try {
      return FlexPrefillCase.isOne(Safetensors.open(file));
    } catch (BadModelException e) {
      Path folder = file.toAbsolutePath().getParent();
      return folder != null && folder.endsWith(name());
    }
  }
}
