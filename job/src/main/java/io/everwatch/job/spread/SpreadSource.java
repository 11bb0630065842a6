// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.spread;

import io.everwatch.job.config.ConfigException;
import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import io.everwatch.operators.flink.SpreadRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.flink.core.fs.Path;

/** Reads the registry that a configuration names, once, where the job is started. */
public final class SpreadSource {
  private static final Pattern URI_FORM = Pattern.compile("[a-zA-Z][a-zA-Z0-9+.-]+://.*");

  private SpreadSource() {}

  /**
   * The registry of {@code spread.registry}; without one, none.
   *
   * @throws ConfigException when the file cannot be read or used
   */
  public static SpreadRegistry registry(EverwatchConfig config) {
    Optional<String> location = config.get(ConfigKeys.SPREAD_REGISTRY);
    if (location.isEmpty()) {
      return SpreadRegistry.NONE;
    }
    try {
      return SpreadFile.parse(read(location.get())).registry();
    } catch (BadSpreadException e) {
      throw problem(location.get(), "cannot be used: " + e.getMessage());
    }
  }

  private static String read(String location) {
    try (InputStream in = open(location)) {
      byte[] bytes = in.readNBytes(SpreadFile.MAX_BYTES + 1);
      if (bytes.length > SpreadFile.MAX_BYTES) {
        throw problem(
            location,
            "is longer than %d bytes; expected a line per stream; the file travels with the job"
                .formatted(SpreadFile.MAX_BYTES));
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw problem(location, "is not UTF-8; expected lines place,streamId; see docs/spread.md");
    } catch (IOException e) {
      throw problem(
          location,
          "cannot be read where the job is started (%s); give the path or URI of the file that"
                  .formatted(e.getMessage())
              + " 'everwatch spread' writes");
    }
  }

  /** A plain path is of this machine, whatever Flink's default file system. */
  private static InputStream open(String location) throws IOException {
    if (!URI_FORM.matcher(location).matches()) {
      return Files.newInputStream(java.nio.file.Path.of(location));
    }
    Path file = new Path(location); // not java.net.URI: a name may have blanks
    return file.getFileSystem().open(file);
  }

  private static ConfigException problem(String location, String what) {
    return new ConfigException(
        List.of("%s %s %s".formatted(ConfigKeys.SPREAD_REGISTRY.name(), location, what)));
  }
}
