// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What RocksDB itself writes down of the options that it works with. */
final class RocksDbFiles {
  private RocksDbFiles() {}

  /**
   * Options of each state's column family, as text.
   *
   * @param directory in which instances of RocksDB are open
   * @throws IOException also when one is closed meanwhile: look again
   */
  static List<String> ofStates(Path directory) throws IOException {
    List<String> states = new ArrayList<>();
    try (Stream<Path> found = Files.walk(directory)) {
      for (Path file : found.filter(RocksDbFiles::isOptions).toList()) {
        for (String section : Files.readString(file).split("\n(?=\\[)", -1)) {
          if (section.startsWith("[CFOptions") && !section.startsWith("[CFOptions \"default\"]")) {
            states.add(section);
          }
        }
      }
    } catch (UncheckedIOException e) { // a file that went while they were listed
      throw e.getCause();
    }
    return states;
  }

  private static boolean isOptions(Path file) {
    return String.valueOf(file.getFileName()).startsWith("OPTIONS-");
  }
}
