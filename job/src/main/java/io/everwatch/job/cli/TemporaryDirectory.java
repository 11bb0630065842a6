// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** A directory of one's own that is gone afterwards, with all that is in it. */
final class TemporaryDirectory implements AutoCloseable {
  private final Path path;

  TemporaryDirectory(String prefix) throws IOException {
    path = Files.createTempDirectory(prefix);
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException gone) {
            return FileVisitResult.CONTINUE; // something that ends late removed it itself
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException failure)
              throws IOException {
            try {
              Files.deleteIfExists(dir);
            } catch (DirectoryNotEmptyException e) {
              // Something that ends late wrote once more: no failure of the command. It lies in the
              // launcher's directory of this run, which the next run removes.
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
