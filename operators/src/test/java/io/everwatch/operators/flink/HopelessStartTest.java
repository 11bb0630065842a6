// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.junit.jupiter.api.Test;

class HopelessStartTest {
  private final IllegalStateException wrongJar = new IllegalStateException("wrong jar");

  @Test
  void endsAJobThatNeverRanAndNotOneThatDid() {
    RuntimeException first = HopelessStart.failure(0, wrongJar);

    assertThat(first).isInstanceOf(SuppressRestartsException.class).hasCause(wrongJar);
    assertThat(ThrowableClassifier.getThrowableType(first))
        .isEqualTo(ThrowableType.NonRecoverableError);
    assertThat(HopelessStart.failure(3, wrongJar)).isSameAs(wrongJar);
  }
}
