// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.everwatch.job.process.SelfSigned;
import io.everwatch.job.wall.http.WallException;
import io.everwatch.job.wall.http.WallSecurity;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The token, and recorded clips. */
class WallSecurityTest {
  private static final String TOKEN = "a token that nobody guesses";

  @TempDir private Path dir;

  private static Served guarded(Set<String> hosts) throws IOException {
    return new Served(
        10,
        new WallSecurity(
            Optional.of(TOKEN), Optional.empty(), Optional.empty(), hosts, /* behindProxy= */ true),
        Optional.empty());
  }

  private static HttpResponse<byte[]> login(Served wall, String form) throws Exception {
    return wall.send(
        wall.request("/login", "Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form))
            .build());
  }

  @Test
  void withoutTheTokenNothingIsShown() throws Exception {
    try (Served wall = guarded(Set.of())) {
      wall.told.says("gate", 0, "A car.");
      for (String path : List.of("/", "/streams/gate", "/api/wall", "/api/live", "/api/streams")) {
        HttpResponse<byte[]> response = wall.get(path);
        assertThat(response.statusCode()).as(path).isEqualTo(401);
        assertThat(new String(response.body(), StandardCharsets.UTF_8)).doesNotContain("gate");
      }
      assertThat(wall.get("/assets/main.js").statusCode()).isEqualTo(200);
      assertThat(wall.get("/api/streams", "Authorization", "Bearer " + TOKEN).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void theTokenIsExchangedForACookieThatDoesNotContainIt() throws Exception {
    try (Served wall = guarded(Set.of())) {
      HttpResponse<byte[]> answer = login(wall, "token=" + TOKEN.replace(' ', '+'));

      assertThat(answer.statusCode()).isEqualTo(303);
      assertThat(answer.headers().firstValue("location")).hasValue("/");
      String cookie = answer.headers().firstValue("set-cookie").orElseThrow();
      assertThat(cookie)
          .contains("HttpOnly", "Secure", "SameSite=Strict")
          .doesNotContain("token", TOKEN);
      assertThat(wall.get("/api/wall", "Cookie", cookie.split(";", -1)[0]).statusCode())
          .isEqualTo(200);
      assertThat(wall.get("/api/wall", "Cookie", "everwatch-wall=0000").statusCode())
          .isEqualTo(401);
      assertThat(wall.get("/login?token=" + TOKEN.replace(" ", "%20")).statusCode()).isEqualTo(303);
    }
  }

  @Test
  void wrongTokensAreSoonNoLongerListenedTo() throws Exception {
    try (Served wall = guarded(Set.of())) {
      String cookie =
          login(wall, "token=" + TOKEN.replace(' ', '+'))
              .headers()
              .firstValue("set-cookie")
              .orElseThrow()
              .split(";", -1)[0];
      for (int i = 0; i < 10; i++) {
        login(wall, "token=guess" + i);
      }

      HttpResponse<byte[]> right = login(wall, "token=" + TOKEN.replace(' ', '+'));
      assertThat(right.statusCode()).isEqualTo(429);
      assertThat(right.headers().firstValue("retry-after")).hasValue("60");
      assertThat(wall.get("/api/wall", "Authorization", "Bearer " + TOKEN).statusCode())
          .isEqualTo(429);
      assertThat(wall.get("/api/wall", "Cookie", cookie).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aFormThatIsTooLongIsNotRead() throws Exception {
    try (Served wall = guarded(Set.of())) {
      assertThat(login(wall, "token=" + "x".repeat(100_000)).statusCode()).isEqualTo(413);
    }
  }

  @Test
  void namesThatWereGivenAreTheOnlyOnes() throws Exception {
    try (Served wall = guarded(Set.of("wall.example"))) {
      String request = "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n";
      assertThat(wall.raw(request.formatted("wall.example"))).startsWith("HTTP/1.1 401");
      assertThat(wall.raw(request.formatted("other.example"))).startsWith("HTTP/1.1 421");
    }
  }

  @Test
  void theTokenIsInNoText() {
    assertThat(
            new WallSecurity(
                    Optional.of(TOKEN), Optional.empty(), Optional.empty(), Set.of(), false)
                .toString())
        .doesNotContain(TOKEN);
  }

  @Test
  void servesHttpsWithACertificateAndItsKey() throws Exception {
    SelfSigned certificate = SelfSigned.make(dir);
    WallSecurity security =
        new WallSecurity(
            Optional.empty(),
            Optional.of(certificate.certificate()),
            Optional.of(certificate.key()),
            Set.of(),
            false);

    try (Served wall = new Served(10, security, Optional.empty());
        Socket socket =
            certificate
                .context()
                .getSocketFactory()
                .createSocket("localhost", wall.server.address().getPort())) {
      assertThat(wall.server.address()).hasScheme("https");
      socket
          .getOutputStream()
          .write(
              "GET /api/wall HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      assertThat(Served.readUntil(socket.getInputStream(), "1.2.3")).startsWith("HTTP/1.1 200");
    }
  }

  @Test
  void filesThatHoldNoCertificateAreNamed() throws Exception {
    Path file = Files.writeString(dir.resolve("wrong.pem"), "nothing");
    WallSecurity security =
        new WallSecurity(Optional.of(TOKEN), Optional.of(file), Optional.of(file), Set.of(), false);

    assertThatExceptionOfType(WallException.class)
        .isThrownBy(() -> new Served(10, security, Optional.empty()).close())
        .withMessageContaining(file.toString())
        .withMessageContaining("PEM");
  }

  @Test
  void clipsAreSentInPiecesAndNothingOutsideTheirFolder() throws Exception {
    Path clips = Files.createDirectory(dir.resolve("clips"));
    byte[] video = new byte[10_000];
    video[9_000] = 42;
    Files.write(clips.resolve("road 1.mp4"), video);
    Files.writeString(clips.resolve("road 1.vtt"), "WEBVTT\n");
    Files.writeString(dir.resolve("secret.mp4"), "secret");
    Files.createSymbolicLink(clips.resolve("link.mp4"), dir.resolve("secret.mp4"));
    Files.writeString(clips.resolve("notes.txt"), "secret");
    try (Served wall = new Served(10, WallSecurity.local(), Optional.of(clips))) {
      assertThat(wall.json("/api/clips").path("clips").toString())
          .isEqualTo(
              "[{\"name\":\"road 1.mp4\",\"bytes\":10000,\"captions\":true,\"type\":\"video/mp4\"}]");
      HttpResponse<byte[]> piece = wall.get("/clips/road%201.mp4", "Range", "bytes=9000-9001");
      assertThat(piece.statusCode()).isEqualTo(206);
      assertThat(piece.body()).containsExactly(42, 0);
      assertThat(piece.headers().firstValue("content-range")).hasValue("bytes 9000-9001/10000");
      assertThat(wall.get("/clips/road%201.mp4", "Range", "bytes=-1").body()).hasSize(1);
      assertThat(wall.get("/clips/road%201.mp4", "Range", "bytes=10000-").statusCode())
          .isEqualTo(416);
      assertThat(wall.get("/clips/road%201.mp4").body()).isEqualTo(video);
      assertThat(wall.get("/clips/road%201.mp4.vtt").body()).startsWith('W');
      assertThat(wall.get("/clips/road%201.vtt").statusCode()).isEqualTo(200);
      for (String path :
          List.of(
              "/clips/link.mp4",
              "/clips/notes.txt",
              "/clips/..%2fsecret.mp4",
              "/clips/%2fetc%2fpasswd",
              "/clips/x%00.mp4")) {
        HttpResponse<byte[]> answer = wall.get(path);
        assertThat(answer.statusCode()).as(path).isIn(400, 404);
        assertThat(new String(answer.body(), StandardCharsets.UTF_8)).doesNotContain("secret");
      }
    }
  }
}
