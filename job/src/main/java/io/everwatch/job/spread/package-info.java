// SPDX-License-Identifier: Apache-2.0
/**
 * The file that gives streams an even load over the subtasks: its form, how it is read at the start
 * of a job, how it grows. What a place in it means is {@code operators.flink.SpreadRegistry}'s.
 */
@NullMarked
package io.everwatch.job.spread;

import org.jspecify.annotations.NullMarked;
