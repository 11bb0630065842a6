// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * A token that is cut out of the raw text before anything else (Qwen2.5-VL §13.1.1).
 *
 * @param special left out on output when asked
 */
record AddedToken(int id, String content, boolean special) {}
