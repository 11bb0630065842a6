// SPDX-License-Identifier: Apache-2.0
/**
 * Scenes whose truth is known, how well they were told, and the reports of it: scores, intervals
 * over seeds, the ablations of the paper. Knows the model's settings and pictures, but no engine:
 * {@code job.offline} plays the scenes to one.
 */
@NullMarked
package io.everwatch.job.evaluation;

import org.jspecify.annotations.NullMarked;
