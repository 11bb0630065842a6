// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.export;

import io.everwatch.job.captions.CaptionWriter;
import io.everwatch.schemas.avro.TextEvent;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Files of captions, one or one per stream. Each is written beside its place and put there when it
 * is whole: who looks meanwhile sees the file of before, or none.
 */
public final class ExportFiles implements AutoCloseable {
  /** How a stream's events are written. */
  public interface Form {
    /** A writer of one stream that begins with this event. */
    CaptionWriter writer(PrintWriter out, TextEvent first);
  }

  private static final int MAX_NAME = 120;

  private record Open(Path target, Path temporary, PrintWriter out) {}

  private final Form form;
  private final Function<String, Path> places;
  private final Map<Path, Open> files = new LinkedHashMap<>();
  private final Map<String, PrintWriter> outs = new HashMap<>();
  private final Map<String, CaptionWriter> writers = new LinkedHashMap<>();
  private boolean done;

  private ExportFiles(Form form, Function<String, Path> places) {
    this.form = form;
    this.places = places;
  }

  /** All streams in one file. */
  public static ExportFiles one(Path file, Form form) {
    return new ExportFiles(form, stream -> file);
  }

  /**
   * A file for each stream, in a folder that is made when it is missing.
   *
   * @param extension of their names, which are those of the streams
   */
  public static ExportFiles folder(Path folder, String extension, Form form) throws IOException {
    Files.createDirectories(folder);
    return new ExportFiles(form, stream -> folder.resolve(name(stream) + "." + extension));
  }

  /**
   * Name of a stream's file: what is no letter, digit, {@code -}, {@code _} or a point inside
   * stands as {@code %} and hex digits, so that no name leads out of the folder and no two are one;
   * a very long one is cut, and told apart by its hash.
   */
  static String name(String stream) {
    StringBuilder name = new StringBuilder();
    for (byte b : stream.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '-'
              || c == '_'
              || (c == '.' && name.length() > 0);
      name.append(plain ? String.valueOf(c) : "%%%02x".formatted((int) c));
    }
    return name.length() <= MAX_NAME
        ? name.toString()
        : name.substring(0, MAX_NAME) + "-%08x".formatted(stream.hashCode());
  }

  /** Writes an event into its stream's file. */
  public void write(TextEvent event) {
    writers
        .computeIfAbsent(event.getStreamId(), stream -> form.writer(out(stream), event))
        .write(event);
  }

  private PrintWriter out(String stream) {
    return outs.computeIfAbsent(
        stream, id -> files.computeIfAbsent(places.apply(id), ExportFiles::open).out());
  }

  private static Open open(Path target) {
    try {
      Path temporary =
          target.resolveSibling(
              ".%s.%d.part".formatted(target.getFileName(), ProcessHandle.current().pid()));
      return new Open(
          target,
          temporary,
          new PrintWriter(Files.newBufferedWriter(temporary, StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * All events are written: puts the files in their places.
   *
   * @return how many
   * @throws IOException when a file could not be written whole; those not in their places yet are
   *     removed
   */
  public int finish() throws IOException {
    writers.values().forEach(CaptionWriter::finish);
    for (Open file : files.values()) {
      file.out().flush();
      if (file.out().checkError()) {
        throw new IOException(
            "%s could not be written whole; is the disk full? nothing was put in its place"
                .formatted(file.target()));
      }
      file.out().close();
    }
    for (Open file : files.values()) {
      Files.move(
          file.temporary(),
          file.target(),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    }
    done = true;
    return files.size();
  }

  /** Removes what was not finished. */
  @Override
  public void close() throws IOException {
    if (!done) {
      for (Open file : files.values()) {
        file.out().close();
        Files.deleteIfExists(file.temporary());
      }
    }
  }
}
