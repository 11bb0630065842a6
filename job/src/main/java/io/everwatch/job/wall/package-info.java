// SPDX-License-Identifier: Apache-2.0
/**
 * The live wall: what a person sees of a running job, in a browser. {@link
 * io.everwatch.job.wall.Wall} keeps what the topics told, within bounds; {@link
 * io.everwatch.job.wall.WallReaders} read them, each on its own thread; {@link
 * io.everwatch.job.wall.LiveFeed} tells the pages what changed. Knows neither Flink nor HTTP, which
 * is in {@code wall.http}.
 */
@NullMarked
package io.everwatch.job.wall;

import org.jspecify.annotations.NullMarked;
