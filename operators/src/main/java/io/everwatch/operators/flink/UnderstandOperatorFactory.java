// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.flink;

import java.util.Optional;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.jspecify.annotations.Nullable;

/**
 * Makes {@link UnderstandOperator}s; only a factory is given the mailbox. Input: {@link
 * FrameRecord} keyed by {@link StreamKey}; output: {@link TextRecord}, side output {@link
 * DeadLetters#TAG}.
 *
 * <p>Never chained: operator and sink then have a thread each.
 */
public final class UnderstandOperatorFactory extends AbstractStreamOperatorFactory<TextRecord>
    implements OneInputStreamOperatorFactory<FrameRecord, TextRecord> {
  private static final long serialVersionUID = 1;

  private final EngineProvider engines;
  private final UnderstandSettings settings;
  private final SpreadRegistry spreads;
  private final @Nullable CommittedText committed;
  private final @Nullable RecordedDecisions recorded;
  private OverloadDecisions decisions;

  /** Of the runtime that the job is submitted with. */
  private final String runtimeVersion = RuntimeCheck.version();

  /** For a sink without transactions; spreads are those that the records' keys were made with. */
  public UnderstandOperatorFactory(
      EngineProvider engines, UnderstandSettings settings, SpreadRegistry spreads) {
    this(engines, settings, spreads, null);
  }

  /**
   * For a given sink.
   *
   * @param spreads those that the records' keys were made with
   * @param committed of a sink with transactions; null: it has none
   */
  public UnderstandOperatorFactory(
      EngineProvider engines,
      UnderstandSettings settings,
      SpreadRegistry spreads,
      @Nullable CommittedText committed) {
    this(engines, settings, spreads, committed, null);
  }

  private UnderstandOperatorFactory(
      EngineProvider engines,
      UnderstandSettings settings,
      SpreadRegistry spreads,
      @Nullable CommittedText committed,
      @Nullable RecordedDecisions recorded) {
    this.engines = engines;
    this.settings = settings;
    this.spreads = spreads;
    this.committed = committed;
    this.recorded = recorded;
    decisions =
        OverloadDecisions.byLag(settings.overload().maxLag(), settings.overload().mergeChunks());
    setChainingStrategy(ChainingStrategy.NEVER);
  }

  /** Makes operators that say again what was said of one stream. */
  public static UnderstandOperatorFactory replaying(
      EngineProvider engines, UnderstandSettings settings, RecordedDecisions recorded) {
    return new UnderstandOperatorFactory(engines, settings, SpreadRegistry.NONE, null, recorded)
        .withDecisions(recorded);
  }

  /** Takes these decisions in the place of those that the settings say: say recorded ones. */
  public UnderstandOperatorFactory withDecisions(OverloadDecisions given) {
    decisions = given;
    return this;
  }

  @Override
  // As Flink declares it: the caller's T is the operator that it asked for.
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  public <T extends StreamOperator<TextRecord>> T createStreamOperator(
      StreamOperatorParameters<TextRecord> parameters) {
    try {
      RuntimeCheck.verify(UnderstandOperator.class, runtimeVersion);
    } catch (IllegalStateException e) {
      throw HopelessStart.failure(
          parameters.getContainingTask().getEnvironment().getTaskInfo().getAttemptNumber(), e);
    }
    return (T)
        new UnderstandOperator(
            parameters,
            engines,
            settings,
            spreads,
            Optional.ofNullable(committed),
            Optional.ofNullable(recorded),
            decisions);
  }

  @Override
  @SuppressWarnings("rawtypes") // as Flink declares it
  public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader loader) {
    return UnderstandOperator.class;
  }
}
