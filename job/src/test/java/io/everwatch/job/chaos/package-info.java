// SPDX-License-Identifier: Apache-2.0
/**
 * The job as processes, under kills and for hours, and the figures of it in {@code
 * docs/benchmarks}. Its programs need {@code everwatch-all.jar} and the test classes, nothing else
 * ({@code benchmarks/cluster.sh}); short forms of them are tests.
 */
@NullMarked
package io.everwatch.job.chaos;

import org.jspecify.annotations.NullMarked;
