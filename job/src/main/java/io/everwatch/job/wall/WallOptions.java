// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import io.everwatch.job.broker.TopicNames;
import java.net.URI;
import java.util.Map;
import java.util.Optional;

/**
 * What the wall shows.
 *
 * @param brokers {@code host:port}, comma-separated
 * @param client further properties of Kafka's clients; they win
 * @param frames whether pictures are read
 * @param flink Flink's REST interface
 * @param demo whether it is the demo's
 * @param maxClients pages at the same time
 * @param version of this program
 */
public record WallOptions(
    String brokers,
    Map<String, String> client,
    TopicNames topics,
    WallLimits limits,
    boolean frames,
    Optional<URI> flink,
    boolean demo,
    int maxClients,
    String version) {}
