// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A network between a camera and who watches it, that can be cut: what is sent then is lost. */
final class TcpForwarder implements AutoCloseable {
  private final ServerSocket server = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
  private final int to;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean cut;

  TcpForwarder(int to) throws IOException {
    this.to = to;
    daemon(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** As when a cable is pulled: connections stand, and nothing passes. */
  void cut() {
    cut = true;
  }

  /** New connections pass again; those that were cut are gone. */
  void mend() {
    cut = false;
    sockets.forEach(TcpForwarder::quietly);
    sockets.clear();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket from = server.accept();
        sockets.add(from);
        if (!cut) {
          Socket onward = new Socket(InetAddress.getLoopbackAddress(), to);
          sockets.add(onward);
          daemon(() -> pump(from, onward));
          daemon(() -> pump(onward, from));
        }
      } catch (IOException e) {
        // closed, or the camera is not there: the other side sees it in time
      }
    }
  }

  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[16 << 10];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int got = in.read(buffer); got >= 0; got = in.read(buffer)) {
        if (!cut) {
          out.write(buffer, 0, got);
        }
      }
    } catch (IOException e) {
      // one side is gone; so is the other
    } finally {
      if (!cut) {
        quietly(from);
        quietly(to);
      }
    }
  }

  private static void daemon(Runnable work) {
    Thread thread = new Thread(work, "forwarder");
    thread.setDaemon(true);
    thread.start();
  }

  private static void quietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // it is gone
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    sockets.forEach(TcpForwarder::quietly);
  }
}
