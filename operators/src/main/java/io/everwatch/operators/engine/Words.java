// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

/** Text and ids of one tokenizer. */
interface Words {
  /** Ids of text; what looks like a chat marker in it stays text. */
  int[] encode(String text);

  /** Text of ids, special tokens left out. */
  String decode(int[] ids);
}
