// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Retained checkpoints: {@code <checkpoint.dir>/<group>/<job id>/chk-<n>/_metadata}. Each group has
 * a folder of its own, so that jobs that share {@code checkpoint.dir} never take each other's state
 * for their last.
 */
public final class Checkpoints {
  private static final Pattern SCHEME = Pattern.compile("[a-zA-Z][a-zA-Z0-9+.-]*://?.*");

  private Checkpoints() {}

  /** The folder of a job's group, as a URI; empty when the cluster's configuration says where. */
  public static Optional<String> of(EverwatchConfig config) {
    String group = URLEncoder.encode(config.get(ConfigKeys.GROUP), StandardCharsets.UTF_8);
    // A name that a file system takes for itself or the folder above.
    String folder = group.matches("\\.+") ? group.replace(".", "%2E") : group;
    return config.get(ConfigKeys.CHECKPOINT_DIR).map(dir -> uri(dir) + "/" + folder);
  }

  /** A plain path as the URI that Flink wants; a URI as it is. */
  public static String uri(String directory) {
    return SCHEME.matcher(directory).matches() ? directory : uri(Path.of(directory));
  }

  /** Not {@link Path#toUri}: Flink takes its {@code %20} for three letters of the name. */
  static String uri(Path path) {
    return "file://" + path.toAbsolutePath();
  }

  /**
   * The complete checkpoint that was written last, of any job below the directory.
   *
   * @param directory of a group, a path or URI; may be missing; other than on a local disk none is
   *     found
   */
  public static Optional<Path> newest(String directory) {
    String uri = uri(directory);
    return uri.startsWith("file:")
        ? newest(Path.of(uri.replaceFirst("^file:(//)?", "")))
        : Optional.empty();
  }

  static Optional<Path> newest(Path directory) {
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    // Only its last act writes the metadata, so a checkpoint that has it is complete.
    try (Stream<Path> found = Files.find(directory, 3, (path, attributes) -> metadata(path))) {
      return found.max(Comparator.comparing(Checkpoints::written)).map(Path::getParent);
    } catch (IOException e) {
      throw new UncheckedIOException(directory + " cannot be searched for checkpoints", e);
    }
  }

  private static boolean metadata(Path path) {
    Path parent = path.getParent();
    return path.endsWith("_metadata")
        && parent != null
        && String.valueOf(parent.getFileName()).startsWith("chk-");
  }

  private static FileTime written(Path path) {
    try {
      return Files.getLastModifiedTime(path);
    } catch (IOException e) {
      return FileTime.fromMillis(0); // removed by a running job meanwhile
    }
  }
}
