// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Keeps a link to every file that appears below a directory, so that it can be looked at when its
 * owner has long removed it; of several links to a file one. Polls, on a thread of its own; what
 * lives shorter than a poll is missed.
 */
final class FileKeeper implements AutoCloseable {
  private static final long POLL_MILLIS = 50;

  private final Path directory;
  private final Path kept;
  private final Predicate<Path> wanted;
  private final Set<Object> seen = new HashSet<>();
  private final List<Path> links = new ArrayList<>();
  private final Thread thread = new Thread(this::keep, "file-keeper");
  private volatile boolean closed;

  /**
   * Files that are there already are not kept.
   *
   * @param kept for the links, on the same file system
   */
  FileKeeper(Path directory, Path kept, Predicate<Path> wanted) throws IOException {
    this.directory = directory;
    this.kept = Files.createDirectories(kept);
    this.wanted = wanted;
    files().stream().map(FileKeeper::identity).flatMap(Optional::stream).forEach(seen::add);
    thread.setDaemon(true);
    thread.start();
  }

  private void keep() {
    while (!closed) {
      try {
        for (Path file : files()) {
          if (identity(file).filter(seen::add).isPresent()) {
            link(file);
          }
        }
        Thread.sleep(POLL_MILLIS); // a watch service would not tell of files in new folders in time
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Device and inode; empty when the file is gone. */
  private static Optional<Object> identity(Path file) {
    try {
      return Optional.ofNullable(Files.readAttributes(file, BasicFileAttributes.class).fileKey());
    } catch (IOException gone) {
      return Optional.empty();
    }
  }

  private void link(Path file) {
    Path link = kept.resolve("%06d-%s".formatted(links.size(), file.getFileName()));
    try {
      Files.createLink(link, file);
      links.add(link);
    } catch (NoSuchFileException | FileAlreadyExistsException gone) {
      // Removed between the look and the link.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Path> files() {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(wanted).filter(Files::isRegularFile).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // a directory went away meanwhile; the next look comes soon
    }
  }

  /** Stops, and tells all links in the order in which their files were found. */
  List<Path> finish() throws InterruptedException {
    closed = true;
    thread.join();
    return List.copyOf(links);
  }

  @Override
  public void close() {
    closed = true;
  }
}
