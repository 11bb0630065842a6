// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

/**
 * How one token is chosen. The random number is {@link CounterRandom#uniform} of the other three:
 * it does not matter who draws when, or in what company.
 *
 * @param seed of the stream
 * @param round of the stream
 * @param token tokens of this round chosen before
 */
public record Draw(SamplingRules rules, long seed, long round, int token) {}
