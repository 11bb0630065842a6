// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.broker;

import io.everwatch.job.config.ConfigKeys;
import io.everwatch.job.config.EverwatchConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.AuthorizationException;

/** Whether the consumer group may be used, and whether somebody else does. */
final class GroupCheck {
  private final Admin admin;
  private final Findings findings;
  private final String group;
  private final String frames;

  GroupCheck(Admin admin, EverwatchConfig config, Findings findings) {
    this.admin = admin;
    this.findings = findings;
    group = config.get(ConfigKeys.GROUP);
    frames = config.get(ConfigKeys.FRAMES);
  }

  void look() {
    try {
      commitNothing();
      members();
    } catch (AuthorizationException e) {
      findings.problem(
          Rights.denied("group " + group, "--group '" + group + "'", Set.of(AclOperation.READ)));
    }
  }

  /**
   * Commits an offset of a partition that there is not: of the two refusals that can come, one says
   * that the user may not commit, the other is as good as a yes.
   */
  private void commitNothing() {
    TopicPartition nowhere = new TopicPartition(frames, Integer.MAX_VALUE);
    try {
      Preflight.answer(
          admin
              .alterConsumerGroupOffsets(group, Map.of(nowhere, new OffsetAndMetadata(0)))
              .partitionResult(nowhere));
    } catch (org.apache.kafka.common.errors.GroupAuthorizationException e) {
      throw e;
    } catch (KafkaException expected) {
      // No such partition, or none of this topic that the user may see: TopicChecks says that.
    }
  }

  /** The job's own readers are no members: they share the partitions out by themselves. */
  private void members() {
    try {
      ConsumerGroupDescription description =
          Preflight.answer(admin.describeConsumerGroups(List.of(group)).all())
              .values()
              .iterator()
              .next();
      if (!description.members().isEmpty()) {
        findings.warning(
            ("group %s has %d members that are no readers of this job (first: %s at %s); each moves the"
                    + " offsets of the other; give this job a group of its own")
                .formatted(
                    group,
                    description.members().size(),
                    description.members().iterator().next().clientId(),
                    description.members().iterator().next().host()));
      }
    } catch (AuthorizationException e) {
      throw e;
    } catch (KafkaException absent) {
      // The group is not there yet.
    }
  }
}
