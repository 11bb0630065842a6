// SPDX-License-Identifier: Apache-2.0
/**
 * Which key blocks a head attends to in a sparse prefill, in plain Java to be read beside the
 * paper: what the CPU back end runs and every other is compared with. Imports {@code kernels} and
 * the JDK.
 */
@NullMarked
package io.everwatch.kernels.sparse;

import org.jspecify.annotations.NullMarked;
