// SPDX-License-Identifier: Apache-2.0
/**
 * One step for many streams: sessions (deterministic state machines), the batcher that decides
 * which of them take a step together, row pool, sampling, snapshots. Imports {@code
 * operators.model}, {@code operators.cache} and {@code kernels}; no Flink, no Avro.
 */
@NullMarked
package io.everwatch.operators.engine;

import org.jspecify.annotations.NullMarked;
