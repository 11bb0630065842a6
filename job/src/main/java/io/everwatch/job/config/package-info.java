// SPDX-License-Identifier: Apache-2.0
/**
 * The job's configuration: one table of keys, read from a YAML file and from {@code --key value}.
 * Also used inside a cluster, so it imports neither picocli nor anything of the command line.
 */
@NullMarked
package io.everwatch.job.config;

import org.jspecify.annotations.NullMarked;
