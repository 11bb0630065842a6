// SPDX-License-Identifier: Apache-2.0
/**
 * Compares this implementation with golden fixtures of the published model, group by group; what
 * {@code everwatch verify-model} and the tests run. Imports {@code operators.model}, {@code
 * operators.cache}, {@code operators.engine}, {@code kernels} and Jackson.
 */
@NullMarked
package io.everwatch.operators.verify;

import org.jspecify.annotations.NullMarked;
