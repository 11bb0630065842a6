// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.kernels.DeviceException;
import io.everwatch.kernels.DeviceException.Failure;
import io.everwatch.operators.engine.RoundResult.Failed;
import io.everwatch.operators.model.EncodedFrame;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

/** Lines of the log carry the stream and the chunk that they are about. */
@Timeout(60)
class LogContextTest {
  @Test
  void bringsBackWhatWasThereBefore() {
    assertThat(MDC.get(LogContext.STREAM)).isNull();
    try (LogContext outer = LogContext.of("a", 7)) {
      assertThat(outer).isNotNull();
      try (LogContext inner = LogContext.of("b")) {
        assertThat(inner).isNotNull();
        assertThat(MDC.get(LogContext.STREAM)).isEqualTo("b");
        assertThat(MDC.get(LogContext.CHUNK)).isNull();
      }
      assertThat(MDC.get(LogContext.STREAM)).isEqualTo("a");
      assertThat(MDC.get(LogContext.CHUNK)).isEqualTo("7");
    }
    assertThat(MDC.get(LogContext.STREAM)).isNull();
    assertThat(MDC.get(LogContext.CHUNK)).isNull();
  }

  @Test
  void isSetWhenTheStepThreadTellsOfAFailedRound() throws Exception {
    try (TestEngine engine = new TestEngine();
        Heard heard = new Heard(StepLoop.class)) {
      engine.network.beforePrefill =
          prompts -> {
            throw new DeviceException(Failure.REFUSED, "no memory left");
          };
      RoundResult result = engine.round(engine.create("north"), 3);

      assertThat(result.outcome()).isInstanceOf(Failed.class);
      assertThat(heard.lines).anyMatch(line -> line.startsWith("north 3 round 0 of stream north"));
    }
  }

  @Test
  void isSetWhenAWorkerTellsOfAChunkThatItCannotPrepare() throws Exception {
    try (TestEngine engine = new TestEngine();
        Heard heard = new Heard(Preparation.class)) {
      StreamSession session = engine.create("south");
      engine.seat.submit(session, new RoundInput(5, List.of(ill()), false));
      engine.next();

      assertThat(heard.lines).anyMatch(line -> line.startsWith("south 5 chunk 5 of stream south"));
    }
  }

  /** A picture that breaks the decoder where it gives no reason: a fault of the program. */
  @SuppressWarnings("NullAway") // on purpose
  private static EncodedFrame ill() {
    return new EncodedFrame(Encoding.RGB24, 28, 28, null);
  }

  /** What a class logs, with its context in front. */
  private static final class Heard extends AbstractAppender implements AutoCloseable {
    final List<String> lines = new CopyOnWriteArrayList<>();
    private final Logger logger;
    private final Level before;

    Heard(Class<?> source) {
      super(source.getName(), null, null, true, Property.EMPTY_ARRAY);
      logger = (Logger) LogManager.getLogger(source);
      before = logger.getLevel();
      start();
      logger.addAppender(this);
      logger.setLevel(Level.WARN); // after the appender, which brings a configuration of its own
    }

    @Override
    public void append(LogEvent event) { // on the thread that logs
      String stream = MDC.get(LogContext.STREAM);
      String chunk = MDC.get(LogContext.CHUNK);
      lines.add(stream + " " + chunk + " " + event.getMessage().getFormattedMessage());
    }

    @Override
    public void close() {
      logger.removeAppender(this);
      logger.setLevel(before);
      stop();
    }
  }
}
