// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;

/**
 * In the place of an operator's own decisions, those that it took in an earlier run (architecture
 * §5): with them and the same records it says the same of one stream. Travels with a replay.
 *
 * @param key of the stream; others are left as they lie in the state
 */
public record RecordedDecisions(StreamKey key) implements Serializable {}
