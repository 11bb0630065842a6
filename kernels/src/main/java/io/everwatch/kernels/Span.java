// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * One stream's part of a batch: tokens {@code [first, first + count)} of the batch are the last
 * {@code count} rows of {@code context}.
 */
public record Span(Context context, int first, int count) {}
