// SPDX-License-Identifier: Apache-2.0
/**
 * Where frames come from and how they get to Kafka: video files (FFmpeg, only here), image folders,
 * the synthetic road, and the publisher that plays any of them onto the frames topic.
 */
@NullMarked
package io.everwatch.job.camera;

import org.jspecify.annotations.NullMarked;
