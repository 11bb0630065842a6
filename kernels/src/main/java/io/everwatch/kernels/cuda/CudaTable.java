// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import io.everwatch.kernels.Table;

/**
 * An embedding table in the activation type.
 *
 * @param address of {@code [rows, columns]}, row-major
 */
record CudaTable(String name, int rows, int columns, long address) implements Table {}
