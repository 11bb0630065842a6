// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** SHA-256 over a set of files: independent of their directory and of the order given. */
final class ContentDigest {
  private static final int PIECE = 1 << 20;

  private ContentDigest() {}

  /**
   * Digest of one line {@code name size sha256} per file, ordered by name; files are read in
   * parallel.
   *
   * @param more lines about what is in no file; none for a checkpoint
   */
  static String of(List<Path> files, List<String> more) {
    List<String> lines =
        Stream.concat(files.parallelStream().map(ContentDigest::line), more.stream())
            .sorted()
            .toList();
    return HexFormat.of()
        .formatHex(sha256().digest(String.join("\n", lines).getBytes(StandardCharsets.UTF_8)));
  }

  private static String line(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return line(String.valueOf(file.getFileName()), in);
    } catch (IOException e) {
      throw new BadModelException(
          "%s cannot be read for its digest (%s); check the disk and the file's permissions."
              .formatted(file, e),
          e);
    }
  }

  /** The line of a file whose bytes come from {@code in}; lines sort by name. */
  static String line(String name, InputStream in) throws IOException {
    MessageDigest digest = sha256();
    byte[] piece = new byte[PIECE];
    long size = 0;
    for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
      digest.update(piece, 0, n);
      size += n;
    }
    // Not formatted: in some countries that writes other digits, and the digest is an identity.
    return name + " " + size + " " + HexFormat.of().formatHex(digest.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform must have SHA-256", e);
    }
  }
}
