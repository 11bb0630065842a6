// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.config.EverwatchConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class LocalJobTest {
  /** 127.0.0.1, the same as IPv6, and ::1, as the kernel writes them. */
  private static final Set<String> LOOPBACK =
      Set.of("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000");

  private static final String LISTENING = "0A";

  @TempDir Path dir;

  @Test
  @Timeout(60)
  @EnabledOnOs(OS.LINUX)
  void listensOnTheLoopbackInterfaceOnly() throws Exception {
    EverwatchConfig config =
        EverwatchConfig.of(
            "brokers", "localhost:1", // nobody there: the cluster waits for it, and listens
            "checkpoint.dir", dir.resolve("checkpoints").toString(),
            "state.backend", "hashmap",
            "threads", "1");
    Set<String> before = listeners();

    List<String> opened;
    try (LocalJob job = LocalJob.start(config, dir.resolve("flink"), 0, Optional.empty())) {
      opened = new ArrayList<>(listeners());
      opened.removeAll(before);
    }

    assertThat(opened)
        .as("Flink takes jobs, which is code, from whoever reaches it")
        .isNotEmpty()
        .allSatisfy(address -> assertThat(address.split(":", 2)[0]).isIn(LOOPBACK));
  }

  /** Address and port, in hexadecimal digits, of every listening socket of this process. */
  private static Set<String> listeners() throws IOException {
    Set<String> own = new HashSet<>();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        if (Files.isSymbolicLink(descriptor)) {
          own.add(Files.readSymbolicLink(descriptor).toString());
        }
      }
    }
    Set<String> found = new HashSet<>();
    for (String table : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
      if (!Files.exists(Path.of(table))) {
        continue; // a kernel without IPv6
      }
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] columns = line.strip().split("\\s+", -1);
        if (columns[3].equals(LISTENING) && own.contains("socket:[" + columns[9] + "]")) {
          found.add(columns[1]);
        }
      }
    }
    return found;
  }
}
