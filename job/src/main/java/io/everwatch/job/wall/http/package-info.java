// SPDX-License-Identifier: Apache-2.0
/**
 * The wall over HTTP: who may ask, what is asked, and how much of it at once. The only home of
 * Jetty.
 */
@NullMarked
package io.everwatch.job.wall.http;

import org.jspecify.annotations.NullMarked;
