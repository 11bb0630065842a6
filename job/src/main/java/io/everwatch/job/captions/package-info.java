// SPDX-License-Identifier: Apache-2.0
/**
 * Text events for people and programs: terminal lines, JSON lines, subtitles. Shared by commands
 * and the wall.
 */
@NullMarked
package io.everwatch.job.captions;

import org.jspecify.annotations.NullMarked;
