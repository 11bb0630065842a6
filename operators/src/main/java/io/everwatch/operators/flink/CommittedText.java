// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.io.Serializable;
import java.util.List;

/**
 * What stands on the text topic for good. Travels with the job of a transactional sink and is asked
 * once, when the operator is opened with text of which it does not know whether it was committed.
 */
@FunctionalInterface
public interface CommittedText extends Serializable {
  /**
   * Which of these texts no reader of committed text will ever see. All were written before the
   * restored checkpoint was complete, so each has been committed or aborted, or will be by the sink
   * as it is restored; this waits until that has happened.
   *
   * <p>Called while the task is initialised; new text of this subtask goes out after it only.
   *
   * @return those whose transaction was aborted, in the given order
   * @throws Exception when it cannot be told; then nothing may be written, the job starts again
   */
  List<TextRecord> missing(List<TextRecord> texts) throws Exception;
}
