// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * What the lines logged by this thread are about, as SLF4J's context: keys {@value #STREAM} and
 * {@value #CHUNK}, which a pattern or a structured layout prints. Closing it brings back what was
 * there before, so that contexts nest.
 *
 * <pre>{@code
 * try (var context = LogContext.of("north", 17)) {
 *   LOG.warn("...");
 * }
 * }</pre>
 */
public final class LogContext implements AutoCloseable {
  public static final String STREAM = "stream";
  public static final String CHUNK = "chunk";

  private final @Nullable String outerStream = MDC.get(STREAM);
  private final @Nullable String outerChunk = MDC.get(CHUNK);

  private LogContext(String streamId, @Nullable String chunk) {
    set(STREAM, streamId);
    set(CHUNK, chunk);
  }

  /** A stream, no chunk of it in particular. */
  public static LogContext of(String streamId) {
    return new LogContext(streamId, null);
  }

  public static LogContext of(String streamId, long chunk) {
    return new LogContext(streamId, Long.toString(chunk));
  }

  private static void set(String key, @Nullable String value) {
    if (value == null) {
      MDC.remove(key);
    } else {
      MDC.put(key, value);
    }
  }

  @Override
  public void close() {
    set(STREAM, outerStream);
    set(CHUNK, outerChunk);
  }
}
