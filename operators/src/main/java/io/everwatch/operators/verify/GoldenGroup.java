// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.verify;

import java.io.IOException;
import java.nio.file.Files;

/** All cases of one kind. */
interface GoldenGroup {
  /** Name of the group: the folder, or the file without its ending, that holds its cases. */
  String name();

  /** Whether the directory has cases of this group. */
  default boolean isPresent(GoldenContext context) {
    return Files.isDirectory(context.path(name()));
  }

  /**
   * Runs every case and reports each.
   *
   * @throws IOException if the list of cases cannot be read; a failing case is reported instead
   */
  void run(GoldenContext context, GoldenReport report) throws IOException;
}
