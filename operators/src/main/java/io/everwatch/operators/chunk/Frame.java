// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.chunk;

/**
 * One frame as the assembler sees it.
 *
 * @param sequence increasing per stream; a restarted camera may start again
 * @param captureMicros capture time, microseconds since the epoch
 * @param payload what the caller carries along (the encoded picture, its source); never looked at
 */
public record Frame<P>(long sequence, long captureMicros, P payload) {}
