// SPDX-License-Identifier: Apache-2.0
/**
 * Checks the invariants of a whole text topic: every chunk explained once, in order, on its grid,
 * and every frame accounted for. The checkers take records one by one and know no broker; {@link
 * io.everwatch.job.audit.TopicAudit} reads the topics for them. Imports schemas, the reader of
 * frame records of {@code operators.flink}, and the Kafka client.
 */
@NullMarked
package io.everwatch.job.audit;

import org.jspecify.annotations.NullMarked;
