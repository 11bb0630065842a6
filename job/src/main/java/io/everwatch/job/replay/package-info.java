// SPDX-License-Identifier: Apache-2.0
/**
 * Runs an interval of one stream again, from a checkpoint and the frames and commands that are
 * still kept, and compares with the text topic: whether the text really follows from what is
 * recorded. What runs is the job's own operator ({@link io.everwatch.job.topology.ReplayJob}); here
 * is what it is fed with, and the comparison.
 */
@NullMarked
package io.everwatch.job.replay;

import org.jspecify.annotations.NullMarked;
