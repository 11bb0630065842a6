// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;

/**
 * Which state the operator goes on with.
 *
 * @param strictNumerics refuse state that was made under another numerics identity
 * @param otherModel what to do with state that another model made
 * @param heapBytes state of a subtask that may lie in the heap (state back end hashmap)
 */
public record StateRules(boolean strictNumerics, OtherModel otherModel, long heapBytes)
    implements Serializable {
  /** What becomes of the streams that another model made the memory of. */
  public enum OtherModel {
    /** Each is rebuilt from its words and its log, a few at a time. */
    REBUILD,
    /** The job does not start. */
    REFUSE
  }

  public static final StateRules DEFAULT = new StateRules(false, OtherModel.REBUILD, 256L << 20);
}
