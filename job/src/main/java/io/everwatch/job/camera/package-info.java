// SPDX-License-Identifier: Apache-2.0
/**
 * Where frames come from and how they get to Kafka. Played: video files, image folders, synthetic
 * scenes, sent whole by the publisher. Live: cameras that are watched, lost and found again, of
 * which the broker gets what it takes in time. FFmpeg is known here only.
 */
@NullMarked
package io.everwatch.job.camera;

import org.jspecify.annotations.NullMarked;
