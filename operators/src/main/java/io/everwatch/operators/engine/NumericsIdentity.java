// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All that decides the bits of a result (architecture §5): under equal identities the same records
 * give the same text.
 *
 * @param digest of the parts: hex, 64 characters
 * @param parts by name, in the order in which they are told
 */
public record NumericsIdentity(String digest, Map<String, String> parts) {
  public NumericsIdentity {
    parts = Collections.unmodifiableMap(new LinkedHashMap<>(parts));
  }

  /** With the digest of these parts. */
  static NumericsIdentity of(Map<String, String> parts) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (String part : parts.values()) {
        sha.update(part.getBytes(StandardCharsets.UTF_8));
        sha.update((byte) 0);
      }
      return new NumericsIdentity(HexFormat.of().formatHex(sha.digest()), parts);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** The parts in which {@code other} differs, each with its value here and there. */
  public String differences(NumericsIdentity other) {
    return Stream.concat(parts.keySet().stream(), other.parts.keySet().stream())
        .distinct()
        .filter(part -> !Objects.equals(parts.get(part), other.parts.get(part)))
        .map(
            part ->
                "%s: %s, and there %s"
                    .formatted(
                        part,
                        parts.getOrDefault(part, "none"),
                        other.parts.getOrDefault(part, "none")))
        .collect(Collectors.joining("; "));
  }

  /** Short digest and all parts. */
  @Override
  public String toString() {
    return "%.16s (%s)"
        .formatted(
            digest,
            parts.entrySet().stream()
                .map(part -> part.getKey() + ": " + part.getValue())
                .collect(Collectors.joining("; ")));
  }
}
