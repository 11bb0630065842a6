// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.FlexPrefill;
import org.jspecify.annotations.Nullable;

/**
 * What a network must have room for.
 *
 * @param kvBytes memory for cached rows; 0: the device decides
 * @param batchRounds rounds of one step
 * @param batchRows prompt rows of one step, a part of them vision tokens; a single longer round is
 *     let in when there happens to be room
 * @param sparse how prefills choose key blocks; null: they are dense
 */
record NetworkLimits(long kvBytes, int batchRounds, int batchRows, @Nullable FlexPrefill sparse) {
  static NetworkLimits of(EngineOptions options, @Nullable FlexPrefill sparse) {
    return new NetworkLimits(
        options.kvBytes(), options.roundsPerStep(), options.batchRows(), sparse);
  }
}
