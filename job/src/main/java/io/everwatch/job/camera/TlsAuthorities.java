// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Whose certificates are believed of cameras of {@code rtsps://} and {@code https://}. */
final class TlsAuthorities {
  /** What is believed unless something else is said. */
  static final String SYSTEM = "system";

  static final String ANY = "any";

  /** Debian and its kin; Fedora and its kin; openSUSE; Alpine and macOS. */
  private static final List<Path> BUNDLES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
          Path.of("/etc/ssl/ca-bundle.pem"),
          Path.of("/etc/ssl/cert.pem"));

  private TlsAuthorities() {}

  /**
   * The file that {@code system}, {@code any} or a path means.
   *
   * @return certificates (PEM) of which one must vouch for the camera; empty = any certificate does
   * @throws IllegalArgumentException when there is no such file
   */
  static Optional<Path> parse(String text) {
    if (text.equals(ANY)) {
      return Optional.empty();
    }
    if (text.equals(SYSTEM)) {
      return Optional.of(
          BUNDLES.stream()
              .filter(Files::isReadable)
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "none of %s is there; expected %s, or a PEM file with the camera's certificate"
                              .formatted(BUNDLES, ANY))));
    }
    Path file = Path.of(text);
    if (!Files.isReadable(file)) {
      throw new IllegalArgumentException(
          "expected a PEM file that can be read, %s or %s".formatted(SYSTEM, ANY));
    }
    return Optional.of(file);
  }
}
