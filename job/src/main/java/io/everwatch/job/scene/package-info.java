// SPDX-License-Identifier: Apache-2.0
/**
 * Synthetic scenes whose truth is known second by second: the road that the shipped model was
 * trained on. State machine and renderer; pure, imports the JDK only. The scene as a camera is in
 * {@code job.camera}, how it was told in {@code job.evaluation}.
 */
@NullMarked
package io.everwatch.job.scene;

import org.jspecify.annotations.NullMarked;
