// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Models on the class path. Weights must be mapped from a file, so a model is unpacked into a
 * directory named by its digest; a new version of the project then never meets an old copy.
 */
final class BuiltInModel {
  private static final String RESOURCES = "/io/everwatch/models/";
  private static final String SHIPPED = "everwatch-tiny";
  private static final String RANDOM = "random:";

  /** Far more than processes that start at once and find the same damaged copy. */
  private static final int MAX_ATTEMPTS = 100;

  /** Of these a built-in model may have any; a class path cannot be listed. */
  private static final List<String> FILES =
      Stream.concat(
              ModelFolder.SETTINGS.stream(),
              Stream.of(ModelFolder.CONFIG, ModelFolder.TOKENIZER, ModelFolder.WEIGHTS))
          .sorted()
          .toList();

  private BuiltInModel() {}

  static List<String> names() {
    return List.of(
        SHIPPED, RANDOM + "qwen2.5-vl-3b", RANDOM + "qwen2.5-vl-7b", RANDOM + "qwen2.5-vl-tiny");
  }

  /** Whether the model has a published shape, but weights that follow from a seed. */
  static boolean isRandom(String name) {
    return name.startsWith(RANDOM);
  }

  /** Where a file of the model would lie; random ones share the shipped model's tokenizer. */
  private static String resource(String name, String file) {
    if (!isRandom(name)) {
      return RESOURCES + name + "/" + file;
    }
    return file.equals(ModelFolder.TOKENIZER)
        ? RESOURCES + SHIPPED + "/" + file
        : RESOURCES + "random/" + name.substring(RANDOM.length()) + "/" + file;
  }

  /**
   * Unpacks the model unless an undamaged copy is there.
   *
   * @param cache a private directory
   * @return a directory whose files equal those of the class path
   */
  static Path unpack(String name, Path cache) {
    try {
      List<String> lines = new ArrayList<>();
      for (String file : FILES) {
        try (InputStream in = BuiltInModel.class.getResourceAsStream(resource(name, file))) {
          if (in != null) {
            lines.add(ContentDigest.line(file, in));
          }
        }
      }
      if (lines.isEmpty()) {
        throw new BadModelException(
            "The built-in model %s is not on the class path; expected %s%s in the runtime jar. Build the project again."
                .formatted(name, RESOURCES, name));
      }
      Path target = cache.resolve(name.replace(':', '-') + "-" + shortDigest(lines));
      if (Files.isDirectory(target) && lines.equals(linesOf(target))) {
        return target;
      }
      return install(name, lines, cache, target);
    } catch (IOException e) {
      throw new BadModelException(
          "The built-in model %s cannot be unpacked into %s (%s); is the disk full? Choose another directory with EVERWATCH_CACHE=DIR, or -D%s=DIR of a JVM."
              .formatted(name, cache, e, PrivateCache.PROPERTY),
          e);
    }
  }

  private static Path install(String name, List<String> lines, Path cache, Path target)
      throws IOException {
    Path fresh = Files.createTempDirectory(cache, "unpacking", PrivateCache.ownerOnly(cache));
    try {
      for (String line : lines) {
        String file = line.substring(0, line.indexOf(' '));
        try (InputStream in = BuiltInModel.class.getResourceAsStream(resource(name, file))) {
          if (in == null) {
            throw new IOException(file + " is no longer on the class path");
          }
          Files.copy(in, fresh.resolve(file));
        }
      }
      if (!lines.equals(linesOf(fresh))) {
        throw new IOException("the copy differs from the class path");
      }
      settle(lines, fresh, target, cache);
      return target;
    } finally {
      deleteAll(fresh);
    }
  }

  /** Others may do the same at the same time: whoever comes first wins, and a good copy stays. */
  private static void settle(List<String> lines, Path fresh, Path target, Path cache)
      throws IOException {
    for (int attempt = 1; ; attempt++) {
      if (Files.isDirectory(target)) {
        if (lines.equals(linesOf(target))) {
          return; // another process was faster
        }
        // Damaged: out of the way first, so that a process that maps the old files keeps them.
        moveAway(target, cache);
      }
      try {
        moveInto(fresh, target);
        return;
      } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
        if (attempt == MAX_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private static void moveInto(Path fresh, Path target) throws IOException {
    try {
      Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw e;
    } catch (FileSystemException e) {
      // A rename onto a directory that is not empty has no type of its own in Java.
      if (Files.isDirectory(target)) {
        FileAlreadyExistsException exists = new FileAlreadyExistsException(target.toString());
        exists.initCause(e);
        throw exists;
      }
      throw e;
    }
  }

  private static void moveAway(Path target, Path cache) throws IOException {
    Path grave = Files.createTempDirectory(cache, "damaged", PrivateCache.ownerOnly(cache));
    try {
      Files.move(target, grave.resolve("model"), StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException e) {
      // Another process has moved it away.
    } finally {
      deleteAll(grave);
    }
  }

  private static List<String> linesOf(Path directory) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String file : FILES) {
      Path path = directory.resolve(file);
      if (Files.isRegularFile(path)) {
        try (InputStream in = Files.newInputStream(path)) {
          lines.add(ContentDigest.line(file, in));
        } catch (NoSuchFileException e) {
          // Moved away this moment: as good as damaged.
        }
      }
    }
    return lines;
  }

  private static String shortDigest(List<String> lines) {
    byte[] digest =
        ContentDigest.sha256().digest(String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest, 0, 8);
  }

  private static void deleteAll(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
