// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * An embedding table {@code [rows, columns]} of which rows are looked up. Owned by the back end.
 */
public interface Table {
  String name();

  int rows();

  int columns();
}
