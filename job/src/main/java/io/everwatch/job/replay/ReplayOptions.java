// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.replay;

import io.everwatch.job.config.EverwatchConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What to run again.
 *
 * @param config of the job
 * @param checkpoint path or URI of a checkpoint's or savepoint's directory
 * @param from first chunk; empty: the first that the checkpoint has not answered
 * @param to last chunk; empty: the last that the text topic has
 * @param temporary directory of its own for restored state, removed by the caller afterwards
 * @param timeout how long the broker may take to answer
 */
public record ReplayOptions(
    EverwatchConfig config,
    String checkpoint,
    String streamId,
    Optional<Bound> from,
    Optional<Bound> to,
    Path temporary,
    Duration timeout) {}
