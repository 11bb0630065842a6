// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.process.Await;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.Test;

class ConnectionWatchTest {
  private static final long LATER = Duration.ofSeconds(21).toNanos();

  private final AtomicLong clock = new AtomicLong();
  private final CountDownLatch asked = new CountDownLatch(1);

  @Test
  void aRequestThatNeverEndsIsClosedAndOneThatIsAnsweredStaysOpen() throws Exception {
    ConnectionWatch watch =
        new ConnectionWatch(
            new Handler.Abstract() {
              @Override
              public boolean handle(Request request, Response response, Callback callback) {
                if (request.getHttpURI().getPath().equals("/soon")) {
                  callback.succeeded();
                } else {
                  asked.countDown(); // and is being answered for ever
                }
                return true;
              }
            },
            clock::get);
    Server server = new Server();
    server.setHandler(watch);
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("localhost");
    connector.addBean(watch, false);
    server.addConnector(connector);
    server.start();
    try (Socket slow = open(connector);
        Socket busy = open(connector);
        Socket idle = open(connector)) {
      slow.getOutputStream().write("GET / HT".getBytes(StandardCharsets.UTF_8));
      write(busy, "/never");
      write(idle, "/soon");
      assertThat(idle.getInputStream().read()).isPositive();
      assertThat(asked.await(20, TimeUnit.SECONDS)).as("the request is there").isTrue();
      await(watch, 3);

      watch.closeIdle();
      assertThat(watch.connections()).as("nothing is late yet").isEqualTo(3);
      Await.until(
          "that all but the one that is being answered are closed",
          Duration.ofSeconds(20),
          () -> {
            clock.addAndGet(LATER);
            watch.closeIdle();
            return watch.connections() == 1;
          },
          () -> watch.connections() + " are open");

      assertThat(slow.getInputStream().read()).as("closed").isEqualTo(-1);
    } finally {
      server.stop();
    }
  }

  private static Socket open(ServerConnector connector) throws Exception {
    Socket socket = new Socket("localhost", connector.getLocalPort());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static void write(Socket socket, String path) throws Exception {
    socket
        .getOutputStream()
        .write(
            "GET %s HTTP/1.1\r\nHost: x\r\n\r\n".formatted(path).getBytes(StandardCharsets.UTF_8));
  }

  private static void await(ConnectionWatch watch, int connections) throws Exception {
    Await.until(
        connections + " connections",
        Duration.ofSeconds(20),
        () -> watch.connections() == connections,
        () -> watch.connections() + " there are");
  }
}
