// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.junit.jupiter.api.Test;

class HopelessStartTest {
  private static final IllegalStateException WRONG_JAR = new IllegalStateException("wrong jar");

  @Test
  void endsAJobThatNeverRanAndNotOneThatDid() {
    RuntimeException first = HopelessStart.failure(0, WRONG_JAR);

    assertThat(first).isInstanceOf(SuppressRestartsException.class).hasCause(WRONG_JAR);
    assertThat(ThrowableClassifier.getThrowableType(first))
        .isEqualTo(ThrowableType.NonRecoverableError);
    assertThat(HopelessStart.failure(3, WRONG_JAR)).isSameAs(WRONG_JAR);
  }
}
