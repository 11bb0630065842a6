// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What is alive inside another JVM, by the JDK's {@code jcmd}. */
final class JvmProbe {
  private static final Pattern CLASS =
      Pattern.compile("^\\s*\\d+:\\s+(\\d+)\\s+\\d+\\s+(\\S+)", Pattern.MULTILINE);
  private static final Pattern THREAD = Pattern.compile("^\"(.*)\" #\\d+", Pattern.MULTILINE);
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");

  private final JvmProcess process;

  JvmProbe(JvmProcess process) {
    this.process = process;
  }

  /** Live objects by class, after a full collection. */
  Map<String, Long> objects() throws IOException, InterruptedException {
    Map<String, Long> counts = new HashMap<>();
    CLASS
        .matcher(jcmd("GC.class_histogram"))
        .results()
        .forEach(line -> counts.merge(line.group(2), Long.parseLong(line.group(1)), Long::sum));
    return counts;
  }

  /** Names of Java threads. */
  List<String> threads() throws IOException, InterruptedException {
    return THREAD
        .matcher(jcmd("Thread.print"))
        .results()
        .map((MatchResult line) -> line.group(1))
        .toList();
  }

  /** Resident memory, heap and native together. */
  long residentBytes() throws IOException {
    String status = Files.readString(Path.of("/proc", Long.toString(process.pid()), "status"));
    return RESIDENT.matcher(status).results().mapToLong(line -> Long.parseLong(line.group(1))).sum()
        << 10;
  }

  private String jcmd(String command) throws IOException, InterruptedException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(process.pid()),
                command)
            .redirectErrorStream(true)
            .start();
    try (InputStream out = jcmd.getInputStream()) {
      String said = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      if (jcmd.waitFor() != 0) {
        throw new IOException("jcmd %s of %s: %s".formatted(command, process, said));
      }
      return said;
    }
  }
}
