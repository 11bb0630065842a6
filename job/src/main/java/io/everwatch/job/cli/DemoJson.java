// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.everwatch.job.captions.TextEventJson;
import io.everwatch.job.demo.DemoOutput;
import io.everwatch.job.demo.DemoSummary;
import io.everwatch.schemas.avro.TextEvent;
import java.io.PrintWriter;
import java.net.URI;

/** One line per event on stdout, {@code {"summary": …}} at the end; progress on stderr. */
final class DemoJson implements DemoOutput {
  private final JsonMapper mapper = new JsonMapper();
  private final PrintWriter out;
  private final PrintWriter err;

  DemoJson(PrintWriter out, PrintWriter err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public void progress(String line) {
    err.println("everwatch: " + line);
    err.flush();
  }

  @Override
  public void wall(URI address) {
    progress("wall: " + address);
  }

  @Override
  public void event(TextEvent event, long lagMillis) {
    ObjectNode node = TextEventJson.of(event);
    if (lagMillis >= 0) {
      node.put("lagMillis", lagMillis);
    } else {
      node.putNull("lagMillis");
    }
    out.println(node);
    out.flush();
  }

  @Override
  public void summary(DemoSummary summary) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("summary", mapper.valueToTree(summary));
    out.println(node);
    out.flush();
  }
}
