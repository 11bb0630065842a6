// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Results, one JSON object a line, each on the disk before the next is begun. A run that was broken
 * off goes on: what it had finished is read, and a line that was not written whole is cut off. What
 * the run is about stands beside it in {@code FILE.run.json}, so that results of two models or
 * settings are never mixed. Thread-safe.
 */
public final class ResumableLines implements AutoCloseable {
  private final FileChannel file;
  private final List<ObjectNode> found = new ArrayList<>();

  /**
   * Opens or makes the file.
   *
   * @param about what decides the results
   * @throws IllegalArgumentException when the file is of another run
   */
  public ResumableLines(Path path, ObjectNode about) throws IOException {
    requireSame(path, about);
    file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      file.truncate(wholeLines(path));
      file.position(file.size());
    } catch (IOException | RuntimeException e) {
      try (FileChannel broken = file) {
        throw e;
      }
    }
  }

  private static void requireSame(Path path, ObjectNode about) throws IOException {
    Path beside = path.resolveSibling(path.getFileName() + ".run.json");
    if (Files.exists(beside)) {
      ObjectNode before = JsonLines.parse(Files.readString(beside));
      if (!before.equals(about)) {
        throw new IllegalArgumentException(
            "%s was begun otherwise (%s); expected the same run; write to another file, or remove it and %s"
                .formatted(path, differences(before, about), beside));
      }
    } else if (Files.exists(path) && Files.size(path) > 0) {
      throw new IllegalArgumentException(
          "%s is there, but not %s, which says what it is of; expected both or none; write to another file"
              .formatted(path, beside));
    } else {
      Path unfinished = beside.resolveSibling(beside.getFileName() + ".tmp");
      Files.writeString(unfinished, about + "\n");
      Files.move(unfinished, beside, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static String differences(ObjectNode before, ObjectNode now) {
    List<String> differences = new ArrayList<>();
    before
        .properties()
        .forEach(
            was -> {
              JsonNode is = now.path(was.getKey());
              if (!is.equals(was.getValue())) {
                differences.add("%s was %s and is %s".formatted(was.getKey(), was.getValue(), is));
              }
            });
    return String.join("; ", differences);
  }

  /** Reads the lines that are there; returns where the last whole one ends. */
  private long wholeLines(Path path) throws IOException {
    byte[] bytes = Files.readAllBytes(path);
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\n') {
        String line = new String(bytes, start, i - start, StandardCharsets.UTF_8);
        try {
          found.add(JsonLines.parse(line));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "%s, byte %d: %s; expected a line of an earlier run; write to another file"
                  .formatted(path, start, e.getMessage()),
              e);
        }
        start = i + 1;
      }
    }
    return start;
  }

  /** What an earlier run had finished. */
  public List<ObjectNode> found() {
    return List.copyOf(found);
  }

  /** Adds a line; it is on the disk when this returns. */
  public synchronized void add(ObjectNode line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
    file.force(false);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
