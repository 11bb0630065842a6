// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AclOperation;

/** How to say that a right is missing. */
final class Rights {
  private Rights() {}

  /**
   * @param resource as {@code kafka-acls} takes it
   */
  static String denied(String what, String resource, Set<AclOperation> operations) {
    return "%s: this user may not %s; grant it: kafka-acls --add --allow-principal User:… %s %s"
        .formatted(
            what,
            operations.stream().map(AclOperation::name).sorted().collect(Collectors.joining(", ")),
            operations.stream()
                .map(operation -> "--operation " + operation.name().toLowerCase(Locale.ROOT))
                .sorted()
                .collect(Collectors.joining(" ")),
            resource);
  }
}
