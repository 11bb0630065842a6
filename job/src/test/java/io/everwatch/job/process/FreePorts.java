// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.process;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Ports of this machine's loopback that nobody uses, for processes that are started later.
 *
 * <p>They lie below those that Linux gives to connections by itself (32,768 and up): one of those
 * may be taken by any connection before its process listens, or while that one is down.
 */
public final class FreePorts {
  private static final int FIRST = 15_000;
  private static final int END = 32_000;
  private static final int ATTEMPTS = 1000;

  private FreePorts() {}

  /** Different ones. */
  public static List<Integer> find(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < ATTEMPTS && sockets.size() < count; i++) {
        int port = RandomGenerator.getDefault().nextInt(FIRST, END);
        try {
          sockets.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
        } catch (BindException taken) {
          // another one, then
        }
      }
      if (sockets.size() < count) {
        throw new IOException(
            "%d of %d ports found in %d to %d".formatted(sockets.size(), count, FIRST, END));
      }
      return sockets.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }
}
