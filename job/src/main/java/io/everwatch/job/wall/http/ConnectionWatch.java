// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Closes connections whose request does not come to its end: a byte now and then keeps Jetty's own
 * idle time-out from ever passing.
 */
final class ConnectionWatch extends Handler.Wrapper implements Connection.Listener {
  private static final long LIMIT_NANOS = 20_000_000_000L;
  private static final long BUSY = Long.MAX_VALUE;

  private final LongSupplier nanoClock;

  /** Since when nothing is asked for; {@link #BUSY} while something is. */
  private final Map<EndPoint, Long> idleSince = new ConcurrentHashMap<>();

  ConnectionWatch(Handler inner, LongSupplier nanoClock) {
    super(inner);
    this.nanoClock = nanoClock;
  }

  @Override
  public void onOpened(Connection connection) {
    idleSince.put(connection.getEndPoint(), nanoClock.getAsLong());
  }

  @Override
  public void onClosed(Connection connection) {
    idleSince.remove(connection.getEndPoint());
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
    idleSince.replace(endPoint, BUSY);
    Request.addCompletionListener(
        request, failure -> idleSince.replace(endPoint, nanoClock.getAsLong()));
    return super.handle(request, response, callback);
  }

  int connections() {
    return idleSince.size();
  }

  /** To be called now and then. */
  void closeIdle() {
    long now = nanoClock.getAsLong();
    idleSince.forEach(
        (endPoint, since) -> {
          if (since != BUSY && now - since > LIMIT_NANOS) {
            endPoint.close();
          }
        });
  }
}
