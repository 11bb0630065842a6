// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import io.everwatch.job.config.ConfigException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.flink.core.fs.FileSystem;

/** Where a complete checkpoint or savepoint lies: a directory with a file {@code _metadata}. */
public record CheckpointLocation(String uri) {
  private static final String METADATA = "_metadata";

  /**
   * Looks whether there is one.
   *
   * @param given a path, or a URI that Flink can read
   * @throws ConfigException when there is none
   */
  public static CheckpointLocation of(String given) {
    String uri = Checkpoints.uri(given);
    if (!exists(given, uri + "/" + METADATA)) {
      throw new ConfigException(
          List.of(
              "%s holds no complete checkpoint; expected a directory chk-… or savepoint-… with a file %s%s"
                  .formatted(given, METADATA, newest(given))));
    }
    return new CheckpointLocation(uri);
  }

  private static boolean exists(String given, String file) {
    try {
      return FileSystem.get(URI.create(file.replace(" ", "%20")))
          .exists(new org.apache.flink.core.fs.Path(file));
    } catch (IOException | IllegalArgumentException e) {
      throw new ConfigException(
          List.of(
              "%s cannot be read (%s); expected a directory that this machine can read, or a URI whose file system Flink has here"
                  .formatted(given, e.getMessage())));
    }
  }

  private static String newest(String given) {
    Optional<Path> newest = Checkpoints.newest(given);
    return newest.map(path -> "; the newest below it is " + path).orElse("");
  }
}
