// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** A directory that only this user can write to; nobody else may put a model there. */
final class PrivateCache {
  /** System property that names the directory. */
  static final String PROPERTY = "everwatch.cache.dir";

  private static final Set<PosixFilePermission> OTHERS_WRITE =
      Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

  private PrivateCache() {}

  /** The user's cache: {@value #PROPERTY}, else {@code XDG_CACHE_HOME}, else {@code ~/.cache}. */
  static Path open() {
    String property = System.getProperty(PROPERTY, "");
    if (!property.isEmpty()) {
      return open(Path.of(property));
    }
    String xdg = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
    Path caches =
        xdg.isEmpty() ? Path.of(System.getProperty("user.home", ""), ".cache") : Path.of(xdg);
    return open(caches.resolve("everwatch"));
  }

  /**
   * @throws BadModelException if the directory cannot be made or others may write to it
   */
  static Path open(Path directory) {
    try {
      Path parent = directory.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
        try {
          Files.createDirectory(directory, ownerOnly(parent == null ? directory : parent));
        } catch (FileAlreadyExistsException e) {
          if (!Files.isDirectory(directory)) { // a file; a link to a directory is checked below
            throw e;
          }
        }
      }
      checkOthersCannotWrite(directory);
      return directory;
    } catch (IOException e) {
      throw new BadModelException(
          "The cache directory %s cannot be used (%s); expected one this user can write to. Choose another with EVERWATCH_CACHE=DIR, or -D%s=DIR of a JVM."
              .formatted(directory, e, PROPERTY),
          e);
    }
  }

  /** Attributes for a new directory in {@code parent}; none where the file system has no such. */
  static FileAttribute<?>[] ownerOnly(Path parent) {
    if (!isPosix(parent)) {
      return new FileAttribute<?>[0];
    }
    return new FileAttribute<?>[] {
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
    };
  }

  private static void checkOthersCannotWrite(Path directory) throws IOException {
    if (!isPosix(directory)) {
      return;
    }
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(directory);
    if (permissions.stream().anyMatch(OTHERS_WRITE::contains)) {
      throw new BadModelException(
          "The cache directory %s has the permissions %s; expected that only its owner can write. Run chmod 700 on it or choose another with EVERWATCH_CACHE=DIR, or -D%s=DIR of a JVM."
              .formatted(directory, PosixFilePermissions.toString(permissions), PROPERTY));
    }
  }

  private static boolean isPosix(Path path) {
    return Files.getFileAttributeView(path, PosixFileAttributeView.class) != null;
  }
}
