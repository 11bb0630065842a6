// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.process.Await;
import io.everwatch.job.wall.http.WallSecurity;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many pages, and pages that do not read. */
@Timeout(120)
class WallClientsTest {
  private static final byte[] LIVE =
      "GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8);

  @Test
  void ofAThousandPagesTheFirstAreServedAndTheOthersRefusedPolitely() throws Exception {
    int served = 100;
    List<Socket> sockets = new ArrayList<>();
    try (Served wall = new Served(served, WallSecurity.local(), Optional.empty())) {
      wall.told.says("gate", 0, "A car.");
      for (int i = 0; i < 1_000; i++) {
        Socket socket = wall.socket();
        socket.getOutputStream().write(LIVE);
        String status = Served.readUntil(socket.getInputStream(), "\r\n\r\n");
        if (i < served) {
          assertThat(status).as("page %d", i).startsWith("HTTP/1.1 200");
          sockets.add(socket);
        } else {
          assertThat(status)
              .as("page %d", i)
              .startsWith("HTTP/1.1 503")
              .containsIgnoringCase("Retry-After: 30");
          socket.close();
        }
      }

      assertThat(wall.feed().listeners()).isEqualTo(served);
      assertThat(wall.get("/api/wall").statusCode()).as("it answers").isEqualTo(200);
      wall.told.says("gate", 1, "A bus.");
      assertThat(Served.readUntil(sockets.get(0).getInputStream(), "A bus.")).isNotEmpty();

      sockets.forEach(WallClientsTest::close);
      wall.told.says("gate", 2, "A bike.");
      Await.until(
          "that pages that went are no longer told",
          Served.LIMIT,
          () -> wall.feed().listeners() == 0,
          () -> wall.feed().listeners() + " pages are left");
    } finally {
      sockets.forEach(WallClientsTest::close);
    }
  }

  @Test
  void aPageThatDoesNotReadIsDroppedAndTheOthersGoOn() throws Exception {
    try (Served wall = Served.open();
        Socket sleeper = wall.socket();
        Socket reader = wall.socket()) {
      sleeper.setReceiveBufferSize(4096);
      sleeper.getOutputStream().write(LIVE);
      Served.readUntil(sleeper.getInputStream(), "event: job");
      assertThat(wall.feed().listeners()).isEqualTo(1);

      String large = "x".repeat(1 << 20);
      for (int i = 0; i < 64 && wall.feed().listeners() == 1; i++) {
        wall.feed().publish(new LiveFeed.Named("texts", large));
      }
      Await.until(
          "that a page that sleeps is dropped",
          Served.LIMIT,
          () -> wall.feed().listeners() == 0,
          () -> "it is still told");

      reader.getOutputStream().write(LIVE);
      assertThat(Served.readUntil(reader.getInputStream(), "event: job")).contains("hello");
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // closed is closed
    }
  }
}
