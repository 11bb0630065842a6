// SPDX-License-Identifier: Apache-2.0
/**
 * Kafka's side of the house: topics with their limits, whether a broker answers and will do what a
 * job needs of it, and a broker in this JVM for the demo and the tests. Imports Kafka, and the
 * job's configuration.
 */
@NullMarked
package io.everwatch.job.broker;

import org.jspecify.annotations.NullMarked;
