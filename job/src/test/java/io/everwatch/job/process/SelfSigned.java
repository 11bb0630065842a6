// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A certificate of {@code localhost} that nobody vouches for.
 *
 * @param certificate PEM
 * @param key PEM, PKCS #8
 * @param context serves with it, and believes it alone
 */
public record SelfSigned(Path certificate, Path key, SSLContext context) {
  private static final char[] PASSWORD = "secret-1".toCharArray();

  /** Makes one with the JDK's keytool. */
  public static SelfSigned make(Path dir) throws Exception {
    Path store = dir.resolve("own.p12");
    Process keytool =
        new ProcessBuilder(
                (System.getProperty("java.home")
                        + "/bin/keytool -genkeypair -alias own -keyalg EC -dname CN=localhost"
                        + " -validity 2 -storetype PKCS12 -storepass "
                        + String.valueOf(PASSWORD)
                        + " -keystore "
                        + store)
                    .split(" ", -1))
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("keytool.log").toFile())
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD);
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, PASSWORD);
    KeyStore known = KeyStore.getInstance("PKCS12");
    known.load(null, PASSWORD);
    known.setCertificateEntry("own", keys.getCertificate("own"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(known);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
    return new SelfSigned(
        pem(dir, "CERTIFICATE", keys.getCertificate("own").getEncoded()),
        pem(dir, "PRIVATE KEY", keys.getKey("own", PASSWORD).getEncoded()),
        context);
  }

  private static Path pem(Path dir, String name, byte[] content) throws IOException {
    String text =
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(name, Base64.getMimeEncoder().encodeToString(content), name);
    return Files.writeString(dir.resolve(name.replace(' ', '-') + ".pem"), text);
  }
}
