// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/** Certificate and key as everybody has them, in PEM. */
final class Tls {
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL);
  private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");
  private static final char[] NONE = {};

  private Tls() {}

  /**
   * TLS 1.2 and 1.3 with that certificate.
   *
   * @throws WallException when the files do not hold a certificate and its key
   */
  static SslContextFactory.Server of(Path certificate, Path key) throws IOException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, NONE);
      store.setKeyEntry("wall", key(key), NONE, chain(certificate));
      SslContextFactory.Server factory = new SslContextFactory.Server();
      factory.setKeyStore(store);
      factory.setKeyStorePassword("");
      factory.setIncludeProtocols("TLSv1.3", "TLSv1.2");
      return factory;
    } catch (GeneralSecurityException e) {
      throw new WallException(
          "certificate %s and key %s cannot be used for TLS (%s); expected a PEM chain, its own first, and its private key"
              .formatted(certificate, key, e.getMessage()),
          e);
    }
  }

  private static Certificate[] chain(Path file) throws IOException, GeneralSecurityException {
    Collection<? extends Certificate> chain =
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)));
    if (chain.isEmpty()) {
      throw new WallException(
          "%s holds no certificate; expected one in PEM, -----BEGIN CERTIFICATE-----"
              .formatted(file));
    }
    return chain.toArray(Certificate[]::new);
  }

  private static PrivateKey key(Path file) throws IOException {
    Matcher pem = KEY.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
    if (!pem.find()) {
      throw new WallException(
          "%s holds no private key that can be read; expected PKCS #8 in PEM, -----BEGIN PRIVATE KEY-----; 'openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW' makes one of other forms"
              .formatted(file));
    }
    byte[] bytes;
    try {
      bytes = Base64.getMimeDecoder().decode(pem.group(1).strip());
    } catch (IllegalArgumentException e) {
      throw new WallException("%s is damaged: its key is not Base64".formatted(file), e);
    }
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(bytes));
      } catch (GeneralSecurityException e) {
        // Then it is of another kind.
      }
    }
    throw new WallException(
        "the key of %s is of a kind that Java does not know; expected %s"
            .formatted(file, String.join(", ", ALGORITHMS)));
  }
}
