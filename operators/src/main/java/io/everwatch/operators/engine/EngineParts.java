// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.operators.cache.RetentionPolicy;
import io.everwatch.operators.model.StreamSettings;
import java.util.BitSet;
import java.util.function.Function;

/**
 * What an engine is put together from.
 *
 * @param network owned by the engine, which closes it
 * @param policy retention for the settings of a stream; throws {@link IllegalArgumentException}
 *     when they contradict each other
 * @param words text and ids of the model's tokenizer
 * @param stops ids that end a turn
 * @param settings the model's own, with the job's overrides
 * @param modelDigest hex, 64 characters
 * @param numerics what decides the bits
 */
record EngineParts(
    Network network,
    Clip.Maker clips,
    RoundPlanner planner,
    Function<StreamSettings, RetentionPolicy> policy,
    Words words,
    TurnEnding ending,
    BitSet stops,
    StreamSettings settings,
    String modelDigest,
    NumericsIdentity numerics) {}
