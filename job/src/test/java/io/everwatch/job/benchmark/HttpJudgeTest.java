// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpJudgeTest {
  private static final String KEY = "sk-very-secret";

  /** Handles the n-th request. */
  private interface Handler {
    void handle(HttpExchange exchange, int number) throws IOException;
  }

  private final List<JsonNode> bodies = Collections.synchronizedList(new ArrayList<>());
  private final List<String> keys = Collections.synchronizedList(new ArrayList<>());
  private final List<Duration> pauses = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch released = new CountDownLatch(1);
  private HttpServer server;
  private long now;

  /** A clock that moves when somebody waits. */
  private final HttpJudge.Pauses clock =
      new HttpJudge.Pauses() {
        @Override
        public long nanoTime() {
          return now;
        }

        @Override
        public void pause(Duration length) {
          pauses.add(length);
          now += length.toNanos();
        }
      };

  @BeforeEach
  void open() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
  }

  @AfterEach
  void close() {
    released.countDown();
    server.stop(0);
  }

  private HttpJudge judge(Duration timeout, int attempts, double perMinute, Handler handler) {
    server.createContext(
        "/v1/chat/completions",
        exchange -> {
          bodies.add(
              JsonLines.parse(
                  new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
          keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          handler.handle(exchange, bodies.size());
        });
    return new HttpJudge(
        new Endpoint(
            URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1/"),
            "stand-in",
            Optional.of(KEY),
            OptionalLong.of(42),
            OptionalDouble.of(0),
            timeout,
            attempts,
            perMinute),
        clock);
  }

  private HttpJudge judge(int attempts, Handler handler) {
    return judge(Duration.ofSeconds(20), attempts, 1e9, handler);
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private static String completion(String content) {
    return "{\"choices\":[{\"message\":{\"content\":\"" + content + "\"}}]}";
  }

  @Test
  void asksAsTheProtocolHasItAndReturnsTheReply() throws Exception {
    HttpJudge judge = judge(1, (exchange, n) -> send(exchange, 200, completion("B")));
    assertThat(judge.reply("Which?")).isEqualTo("B");
    JsonNode body = bodies.get(0);
    assertThat(body.get("model").asText()).isEqualTo("stand-in");
    assertThat(body.at("/messages/0/role").asText()).isEqualTo("user");
    assertThat(body.at("/messages/0/content").asText()).isEqualTo("Which?");
    assertThat(body.get("seed").asInt()).isEqualTo(42);
    assertThat(body.get("temperature").asDouble()).isZero();
    assertThat(keys).containsExactly("Bearer " + KEY);
  }

  @Test
  void triesAgainWhatMayWorkLaterAndWaitsAsLongAsTheServerSays() throws Exception {
    HttpJudge judge =
        judge(
            6,
            (exchange, n) -> {
              if (n == 1) {
                send(exchange, 500, "oops");
              } else if (n == 2) {
                send(exchange, 503, "oops");
              } else if (n == 3) {
                exchange.getResponseHeaders().add("Retry-After", "17");
                send(exchange, 429, "slow down");
              } else if (n == 4) {
                send(exchange, 200, "<html>a proxy</html>");
              } else {
                send(exchange, 200, completion("A"));
              }
            });
    assertThat(judge.reply("Which?")).isEqualTo("A");
    assertThat(pauses.stream().filter(pause -> pause.toMillis() >= 1000))
        .extracting(Duration::toSeconds)
        .containsExactly(1L, 2L, 17L, 8L);
  }

  @Test
  void givesUpAtOnceWhatWillNotGetBetterAndKeepsTheKeyToItself() {
    HttpJudge judge =
        judge(6, (exchange, n) -> send(exchange, 401, "{\"error\": \"bad key " + KEY + "\"}"));
    assertThatThrownBy(() -> judge.reply("Which?"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("stand-in at http://127.0.0.1")
        .hasMessageContaining("HTTP 401")
        .hasMessageContaining("(key)")
        .hasMessageNotContaining(KEY);
    assertThat(bodies).hasSize(1);
  }

  @Test
  void givesUpAfterSoManyAttempts() {
    HttpJudge judge = judge(3, (exchange, n) -> send(exchange, 500, "down"));
    assertThatThrownBy(() -> judge.reply("Which?")).hasMessageContaining("after 3 attempts");
    assertThat(bodies).hasSize(3);
  }

  @Test
  void followsNoRedirectWhichWouldCarryTheKeyAway() {
    HttpJudge judge =
        judge(
            1,
            (exchange, n) -> {
              exchange.getResponseHeaders().add("Location", "http://127.0.0.1:1/elsewhere");
              send(exchange, 307, "");
            });
    assertThatThrownBy(() -> judge.reply("Which?")).hasMessageContaining("HTTP 307");
  }

  @Test
  void aReplyWithoutEndIsRefused() {
    HttpJudge judge =
        judge(
            1,
            (exchange, n) -> {
              exchange.sendResponseHeaders(200, 0);
              byte[] more = new byte[1 << 16];
              try (OutputStream out = exchange.getResponseBody()) {
                for (int i = 0; i < 64; i++) { // four times what is taken
                  out.write(more);
                }
              } catch (IOException gone) {
                // the judge has hung up, as it should
              }
            });
    assertThatThrownBy(() -> judge.reply("Which?")).hasMessageContaining("more than 1048576 bytes");
  }

  @Test
  void aServerThatNeverAnswersIsGivenUp() {
    HttpJudge judge =
        judge(
            Duration.ofMillis(200),
            1,
            1e9,
            (exchange, n) -> {
              try {
                released.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              exchange.close();
            });
    assertThatThrownBy(() -> judge.reply("Which?")).hasMessageContaining("HttpTimeoutException");
  }

  @Test
  void requestsAreSpreadOverTheMinute() throws Exception {
    HttpJudge judge =
        judge(Duration.ofSeconds(20), 1, 30, (exchange, n) -> send(exchange, 200, completion("A")));
    for (int i = 0; i < 4; i++) {
      judge.reply("Which?");
    }
    assertThat(pauses)
        .containsExactly(Duration.ofSeconds(2), Duration.ofSeconds(2), Duration.ofSeconds(2));
  }

  @Test
  void anEndpointThatIsNoneIsRefused() {
    assertThatThrownBy(
            () ->
                new Endpoint(
                    URI.create("https://user:" + KEY + "@host/v1"),
                    "m",
                    Optional.empty(),
                    OptionalLong.empty(),
                    OptionalDouble.empty(),
                    Duration.ofSeconds(1),
                    1,
                    1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("host")
        .hasMessageNotContaining(KEY);
  }
}
