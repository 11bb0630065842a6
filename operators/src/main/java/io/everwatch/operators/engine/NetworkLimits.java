// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

/**
 * What a network must have room for.
 *
 * @param kvBytes memory for cached rows; 0: the device decides
 * @param batchRounds rounds of one step
 * @param batchRows prompt rows of one step, a part of them vision tokens; a single longer round is
 *     let in when there happens to be room
 */
record NetworkLimits(long kvBytes, int batchRounds, int batchRows) {
  static NetworkLimits of(EngineOptions options) {
    return new NetworkLimits(options.kvBytes(), options.roundsPerStep(), options.batchRows());
  }
}
