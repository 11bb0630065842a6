// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * Weights {@code [rows, columns]} of a linear layer ({@code y = x W^T + b}), laid out once by a
 * back end for its own products. Owned by the back end, freed with it.
 */
public interface Matrix {
  String name();

  /** Output features. */
  int rows();

  /** Input features. */
  int columns();
}
