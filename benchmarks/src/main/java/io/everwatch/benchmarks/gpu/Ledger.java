// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.everwatch.benchmarks.gpu.Item.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Does the items of a part one after the other and keeps what they came to in a file, a line each,
 * so that a run that is broken off goes on where it was. An item that fails ends the process, for
 * what it left of the device nobody knows; the next process goes on behind it.
 */
final class Ledger {
  private static final JsonMapper JSON = new JsonMapper();

  /** An item that ends its process is tried once more: it may have been killed for its time. */
  private static final int TRIES = 2;

  /** Where the caller must go on. */
  enum Next {
    NOTHING,
    /** In a new process, at once. */
    ANOTHER_PROCESS,
    /** When there is time again. */
    ANOTHER_CALL
  }

  private final String part;
  private final Path directory;
  private final BooleanSupplier timeIsOver;
  private final Map<String, Item> last = new LinkedHashMap<>();
  private final Map<String, Integer> starts = new LinkedHashMap<>();
  private Next next = Next.NOTHING;

  /**
   * @param timeIsOver asked before each item
   */
  Ledger(String part, Path directory, BooleanSupplier timeIsOver) {
    this.part = part;
    this.directory = directory;
    this.timeIsOver = timeIsOver;
    for (Item item : read(directory.resolve(part + ".jsonl"))) {
      note(item);
    }
  }

  /** All lines of a file of items; none when there is no such file. */
  static List<Item> read(Path file) {
    List<Item> items = new ArrayList<>();
    try {
      if (Files.exists(file)) {
        for (String line : Files.readAllLines(file)) {
          if (!line.isBlank()) {
            items.add(JSON.readValue(line, Item.class));
          }
        }
      }
      return items;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "%s cannot be read as items, one JSON object a line; remove it to begin anew"
              .formatted(file),
          e);
    }
  }

  /**
   * Does an item, unless it was done, the time is over, or one before it failed in this process.
   *
   * @param body returns figures; throws {@link SkippedException} where it cannot be done
   */
  void item(String name, Callable<Map<String, Object>> body) {
    if (next != Next.NOTHING || (last.containsKey(name) && last.get(name).isOver())) {
      return;
    }
    if (timeIsOver.getAsBoolean()) {
      next = Next.ANOTHER_CALL;
      return;
    }
    if (starts.getOrDefault(name, 0) >= TRIES) {
      write(over(name, Status.FAILED, 0, "its process ended in the middle of it, twice", Map.of()));
      return;
    }
    write(Item.started(part, name));
    System.err.printf("%s: %s%n", part, name);
    long begin = System.nanoTime();
    try {
      Map<String, Object> figures = body.call();
      write(over(name, Status.PASSED, since(begin), "", figures));
    } catch (SkippedException e) {
      write(over(name, Status.SKIPPED, since(begin), String.valueOf(e.getMessage()), Map.of()));
    } catch (Exception | AssertionError | LinkageError e) {
      e.printStackTrace();
      write(over(name, Status.FAILED, since(begin), e.toString(), Map.of()));
      next = Next.ANOTHER_PROCESS;
    }
  }

  Next next() {
    return next;
  }

  /** Whether an item failed, now or in an earlier process. */
  boolean failed() {
    return last.values().stream().anyMatch(item -> item.status() == Status.FAILED);
  }

  private Item over(
      String name, Status status, double seconds, String detail, Map<String, Object> figures) {
    if (!detail.isEmpty()) {
      System.err.printf("%s: %s: %s: %s%n", part, name, status, detail);
    }
    return new Item(part, name, status, seconds, detail, figures);
  }

  private void write(Item item) {
    append(directory, item);
    note(item);
  }

  /** Adds a line to the file of the item's part. */
  static void append(Path directory, Item item) {
    Path file = directory.resolve(item.part() + ".jsonl");
    try {
      Files.writeString(
          file,
          JSON.writeValueAsString(item) + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be written", e);
    }
  }

  private void note(Item item) {
    last.put(item.item(), item);
    if (item.status() == Status.STARTED) {
      starts.merge(item.item(), 1, Integer::sum);
    }
  }

  private static double since(long begin) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin) / 1e3;
  }
}
