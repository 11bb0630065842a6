// SPDX-License-Identifier: Apache-2.0
/**
 * Which frames make a chunk (architecture §3a): grid, sampling, lateness, gaps, clock jumps. A pure
 * state machine per stream; imports the JDK only.
 */
@NullMarked
package io.everwatch.operators.chunk;

import org.jspecify.annotations.NullMarked;
