// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.imageio.ImageIO;
import javax.net.ssl.SSLContext;

/** Cameras that speak HTTP, on the loopback address. */
final class HttpCamera implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  private final String scheme;

  HttpCamera() throws IOException {
    this(HttpServer.create(anyPort(), 8), "http");
  }

  /** One that speaks TLS. */
  HttpCamera(SSLContext certificate) throws IOException {
    this(encrypted(certificate), "https");
  }

  private HttpCamera(HttpServer server, String scheme) {
    this.server = server;
    this.scheme = scheme;
    server.setExecutor(threads);
    server.start();
  }

  private static HttpServer encrypted(SSLContext certificate) throws IOException {
    HttpsServer server = HttpsServer.create(anyPort(), 8);
    server.setHttpsConfigurator(new HttpsConfigurator(certificate));
    return server;
  }

  private static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  int port() {
    return server.getAddress().getPort();
  }

  String address(String path) {
    return "%s://127.0.0.1:%d%s".formatted(scheme, port(), path);
  }

  void on(String path, HttpHandler handler) {
    server.createContext(path, handler);
  }

  /** Which pictures a Motion JPEG camera sends, and when. */
  interface Pictures {
    /**
     * Waits until the picture is due.
     *
     * @return empty bytes at the end
     */
    byte[] next(int number) throws InterruptedException, IOException;
  }

  /** A camera of {@code multipart/x-mixed-replace}. */
  void motionJpeg(String path, Pictures pictures) {
    on(
        path,
        exchange -> {
          exchange
              .getResponseHeaders()
              .set("Content-Type", "multipart/x-mixed-replace; boundary=frame");
          exchange.sendResponseHeaders(200, 0);
          try (OutputStream out = exchange.getResponseBody()) {
            byte[] picture = pictures.next(0);
            for (int i = 1; picture.length > 0; i++) {
              out.write(
                  "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                      .formatted(picture.length)
                      .getBytes(US_ASCII));
              out.write(picture);
              out.write("\r\n".getBytes(US_ASCII));
              out.flush();
              picture = pictures.next(i);
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  static void answer(HttpExchange exchange, String type, byte[] body) throws IOException {
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** A picture of one colour. */
  static byte[] jpeg(int width, int height, int colour) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, colour);
      }
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "jpeg", bytes);
    return bytes.toByteArray();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
