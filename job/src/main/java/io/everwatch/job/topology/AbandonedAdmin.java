// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.topology;

import java.lang.reflect.Field;
import java.time.Duration;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.kafka.clients.admin.Admin;

/**
 * The client by which the connector's exactly-once writer looks for open transactions at its start
 * and which it never closes (connector 5.0): its thread would run on after every restart of the
 * job, and keep the class loader of a job that is long gone. {@code WorkaroundsTest} says when this
 * may go.
 */
final class AbandonedAdmin {
  private static final String FIELD = "adminClient";
  private static final Duration CLOSING = Duration.ofSeconds(5);

  private AbandonedAdmin() {}

  /** Closes the client of a writer that is closed, if it had one. */
  static void close(SinkWriter<?> writer) {
    try {
      Field field = writer.getClass().getDeclaredField(FIELD);
      field.setAccessible(true);
      if (field.get(writer) instanceof Admin admin) {
        admin.close(CLOSING);
      }
    } catch (NoSuchFieldException e) {
      // Another writer than the one that forgets it.
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("made accessible above", e);
    }
  }
}
