// SPDX-License-Identifier: Apache-2.0
/**
 * The reference and embedded default: oneDNN products, plain Java for the rest. Only place for
 * oneDNN.
 */
@NullMarked
package io.everwatch.kernels.cpu;

import org.jspecify.annotations.NullMarked;
