// SPDX-License-Identifier: Apache-2.0
/** The command line: one class per sub-command. */
@NullMarked
package io.everwatch.job.cli;

import org.jspecify.annotations.NullMarked;
