// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Who may ask, and how.
 *
 * @param token that everybody must know; empty = nobody need, which is only for this machine
 * @param certificate PEM chain for TLS, with its key; empty = plain HTTP
 * @param key PEM, PKCS #8
 * @param hosts names by which the wall is asked for besides this machine's own; others are refused
 * @param behindProxy another server ends TLS
 */
public record WallSecurity(
    Optional<String> token,
    Optional<Path> certificate,
    Optional<Path> key,
    Set<String> hosts,
    boolean behindProxy) {
  /** For this machine alone. */
  public static WallSecurity local() {
    return new WallSecurity(Optional.empty(), Optional.empty(), Optional.empty(), Set.of(), false);
  }

  boolean tls() {
    return certificate.isPresent();
  }

  /** No token in any log. */
  @Override
  public String toString() {
    return "WallSecurity[token=%s, tls=%s, hosts=%s]"
        .formatted(token.isPresent() ? "given" : "none", tls(), hosts);
  }
}
