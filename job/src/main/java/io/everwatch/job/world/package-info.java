// SPDX-License-Identifier: Apache-2.0
/**
 * Synthetic cameras whose truth is known second by second: a road and a door, in several sizes,
 * frame rates and conditions. Drawn in integers from counter-based draws, so that the Python side
 * ({@code training/src/everwatch_training/world}) gives the same sentences and the same pixels.
 * Specification: {@code docs/design/world.md}. Pure, imports the JDK only; the scene as a camera is
 * in {@code job.camera}.
 */
@NullMarked
package io.everwatch.job.world;

import org.jspecify.annotations.NullMarked;
