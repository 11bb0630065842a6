// SPDX-License-Identifier: Apache-2.0
/**
 * Source, operator, sinks, and how a job of them is run. {@code EverwatchJob} is the entry for
 * {@code flink run}; a cluster has neither picocli nor FFmpeg nor broker, so nothing here may touch
 * the command line, the cameras or the embedded broker.
 */
@NullMarked
package io.everwatch.job.topology;

import org.jspecify.annotations.NullMarked;
