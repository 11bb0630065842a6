// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import io.everwatch.operators.engine.EngineListener;
import io.everwatch.operators.engine.RoundResult;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.ExceptionUtils;
import org.apache.flink.util.function.ThrowingConsumer;
import org.apache.flink.util.function.ThrowingRunnable;

/** What the engine's thread hears reaches the operator as mail: one for each device step. */
final class EngineMail implements EngineListener {
  private final MailboxExecutor mailbox;
  private final ThrowingConsumer<List<RoundResult>, Exception> apply;

  EngineMail(MailboxExecutor mailbox, ThrowingConsumer<List<RoundResult>, Exception> apply) {
    this.mailbox = mailbox;
    this.apply = apply;
  }

  @Override
  public void finished(List<RoundResult> results) {
    mail(() -> apply.accept(results), "understand: results of a step");
  }

  @Override
  public void ended(Throwable cause) {
    mail(() -> ExceptionUtils.rethrowException(cause), "understand: the engine ended");
  }

  private void mail(ThrowingRunnable<? extends Exception> step, String what) {
    try {
      mailbox.execute(step, what);
    } catch (RejectedExecutionException closing) {
      // The task is going away; its last checkpoint has what is needed to run these again.
    }
  }
}
