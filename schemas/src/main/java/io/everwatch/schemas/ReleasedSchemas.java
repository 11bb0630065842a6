// SPDX-License-Identifier: Apache-2.0
package io.everwatch.schemas;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;

/**
 * The schemas of released versions, as they were: a record written by any of them can still be
 * read. At each release that changes a schema, copy all of them to a folder of the version's name
 * and add the name here. The copies are never edited afterwards.
 */
final class ReleasedSchemas {
  /** Oldest first. */
  static final List<String> VERSIONS = List.of("0.1.0");

  private ReleasedSchemas() {}

  /**
   * One schema per version that had this record type.
   *
   * @param name such as {@code frame_event}
   */
  static List<Schema> of(String name) {
    List<Schema> schemas = new ArrayList<>();
    for (String version : VERSIONS) {
      String resource = "released/%s/%s.avsc".formatted(version, name);
      try (InputStream in = ReleasedSchemas.class.getResourceAsStream(resource)) {
        if (in != null) { // a record type younger than that version
          schemas.add(new Schema.Parser().parse(in));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(resource + " in the jar of the schemas is unreadable", e);
      }
    }
    return schemas;
  }
}
