// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.operators.model.EncodedFrame;

/**
 * One picture of a source.
 *
 * @param offsetMicros capture time since the start of the source, microseconds; never decreasing
 */
public record CameraFrame(long offsetMicros, EncodedFrame picture) {}
