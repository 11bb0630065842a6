// SPDX-License-Identifier: Apache-2.0
/**
 * What {@code kernels/gpu-check} runs on a machine with a GPU: checks and timings, kept item by
 * item so that a run may be broken off and gone on with, and the report made of them. Nothing
 * depends on this package.
 */
@NullMarked
package io.everwatch.benchmarks.gpu;

import org.jspecify.annotations.NullMarked;
