// SPDX-License-Identifier: Apache-2.0
/**
 * What was said of streams in an interval, out of the text topic into files: finds it without
 * reading all of the topic, and puts a file in its place when all of it is there.
 */
@NullMarked
package io.everwatch.job.export;

import org.jspecify.annotations.NullMarked;
