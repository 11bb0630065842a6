// SPDX-License-Identifier: Apache-2.0
/** The command line: one class per sub-command, and what they share (see {@code Everwatch}). */
@NullMarked
package io.everwatch.job.cli;

import org.jspecify.annotations.NullMarked;
