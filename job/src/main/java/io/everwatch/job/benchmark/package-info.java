// SPDX-License-Identifier: Apache-2.0
/**
 * The published benchmarks of live commentary, Inf-Streams-Eval and LiveSports-3K-CC, in their own
 * file formats (StreamingVLM §13): commentary of their videos from the engine, and a judge's votes
 * on pairs of commentaries. Both can be broken off and go on where they were.
 */
@NullMarked
package io.everwatch.job.benchmark;

import org.jspecify.annotations.NullMarked;
