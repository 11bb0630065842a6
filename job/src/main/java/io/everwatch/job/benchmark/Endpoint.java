// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Where a judge is, and how it is asked.
 *
 * @param url such as {@code https://host/v1}
 * @param model its name there
 * @param key empty: none is sent
 * @param seed empty: none is sent; so is the temperature, which not every model takes
 * @param timeout of one attempt
 * @param attempts of one request, at least 1
 * @param perMinute requests at most
 */
public record Endpoint(
    URI url,
    String model,
    Optional<String> key,
    OptionalLong seed,
    OptionalDouble temperature,
    Duration timeout,
    int attempts,
    double perMinute) {
  public Endpoint {
    if (attempts < 1 || !(perMinute > 0) || timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException(
          "%d attempts of %s, %s requests a minute; expected at least one attempt, and more than 0 of the others"
              .formatted(attempts, timeout, perMinute));
    }
    String scheme = String.valueOf(url.getScheme());
    boolean web = scheme.equals("http") || scheme.equals("https");
    if (!web || url.getHost() == null || url.getUserInfo() != null) {
      throw new IllegalArgumentException(
          "'%s' is the host of no usable endpoint; expected http(s)://HOST[:PORT]/PATH such as https://host/v1, with the key in the environment"
              .formatted(url.getHost()));
    }
  }

  /** Without the key. */
  @Override
  public String toString() {
    return "%s at %s".formatted(model, url);
  }
}
