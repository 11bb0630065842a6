// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.captions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.schemas.avro.TextEvent;
import java.util.Collection;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.jspecify.annotations.Nullable;

/** A text event as JSON: the fields of its schema by name, in their order. */
public final class TextEventJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private TextEventJson() {}

  /** To add something of one's own. */
  public static ObjectNode of(TextEvent event) {
    return record(event);
  }

  /** One line, without its end. */
  public static String line(TextEvent event) {
    return of(event).toString();
  }

  private static ObjectNode record(IndexedRecord record) {
    ObjectNode node = NODES.objectNode();
    for (Schema.Field field : record.getSchema().getFields()) {
      node.set(field.name(), value(record.get(field.pos())));
    }
    return node;
  }

  private static JsonNode value(@Nullable Object value) {
    if (value == null) {
      return NODES.nullNode();
    }
    if (value instanceof IndexedRecord inner) {
      return record(inner);
    }
    if (value instanceof Collection<?> items) {
      ArrayNode array = NODES.arrayNode();
      items.forEach(item -> array.add(value(item)));
      return array;
    }
    if (value instanceof Integer number) {
      return NODES.numberNode(number);
    }
    if (value instanceof Long number) {
      return NODES.numberNode(number);
    }
    if (value instanceof Boolean flag) {
      return NODES.booleanNode(flag);
    }
    return NODES.textNode(value.toString());
  }
}
