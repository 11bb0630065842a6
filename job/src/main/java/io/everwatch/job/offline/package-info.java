// SPDX-License-Identifier: Apache-2.0
/**
 * The engine without Kafka and Flink: on a file, on a scene whose truth is known, and against the
 * clock.
 */
@NullMarked
package io.everwatch.job.offline;

import org.jspecify.annotations.NullMarked;
