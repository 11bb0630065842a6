// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** A stream's memory over time as the pages get it (docs/wall.md). */
final class MemoryJson {
  private MemoryJson() {}

  static ObjectNode of(List<Said> events) {
    ObjectNode node = WallJson.NODES.objectNode();
    node.putNull("now");
    node.putArray("series");
    node.putNull("text");
    return node.putNull("settings");
  }
}
