// SPDX-License-Identifier: Apache-2.0
/** The whole house in one process: broker, job, cameras and readers, timed as a user sees it. */
@NullMarked
package io.everwatch.job.demo;

import org.jspecify.annotations.NullMarked;
