// SPDX-License-Identifier: Apache-2.0
/**
 * A cluster of real processes for tests: {@link io.everwatch.job.process.Cluster} starts them, lets
 * them be killed and started again, and ends them; what a job said on it is compared with what it
 * would have said uninterrupted.
 */
@NullMarked
package io.everwatch.job.process;

import org.jspecify.annotations.NullMarked;
