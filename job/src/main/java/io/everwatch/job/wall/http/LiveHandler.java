// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import io.everwatch.job.wall.LiveFeed;
import io.everwatch.job.wall.LiveWall;
import java.io.EOFException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** {@code /api/live}: server-sent events, to each page from a queue of its own. */
final class LiveHandler extends Handler.Abstract {
  /** A page that leaves so much unread is not looked at; it comes back by itself. */
  private static final long QUEUE_BYTES = 4L << 20;

  private final LiveWall wall;
  private final Set<Page> pages = ConcurrentHashMap.newKeySet();

  LiveHandler(LiveWall wall) {
    this.wall = wall;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Page page = new Page(request, response, callback);
    Optional<String> last = Optional.ofNullable(request.getHeaders().get("Last-Event-ID"));
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream; charset=utf-8");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    response.getHeaders().put("X-Accel-Buffering", "no"); // nginx would hold events back
    if (!wall.join(page, last)) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, 30);
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.SERVICE_UNAVAILABLE_503,
          "%d pages watch already, as many as this wall serves"
              .formatted(wall.options().maxClients()),
          "close one, or start 'everwatch serve' with a larger --max-clients");
      return true;
    }
    pages.add(page);
    page.begin();
    return true;
  }

  /** Ends all answers in order; before the server stops. */
  void endAll() {
    pages.forEach(Page::finish);
  }

  /** One page: a queue, and one write under way. */
  private final class Page implements LiveFeed.Listener, Callback {
    private final Request request;
    private final Response response;
    private final Callback end;
    private final Deque<byte[]> queue = new ArrayDeque<>();
    private long queued;
    private boolean writing = true; // until begun
    private boolean over; // nothing more is sent
    private boolean ended; // the answer is

    private Page(Request request, Response response, Callback end) {
      this.request = request;
      this.response = response;
      this.end = end;
    }

    private void begin() {
      request.addFailureListener(this::broken);
      // Silence is broken by the feed's breath; a connection whose writes stand still fails anyway.
      request.addIdleTimeoutListener(idle -> false);
      succeeded();
    }

    @Override
    public void send(byte[] bytes) {
      boolean unread;
      synchronized (this) {
        if (over) {
          return;
        }
        queue.add(bytes);
        queued += bytes.length;
        if (writing && queued <= QUEUE_BYTES) {
          return;
        }
        unread = writing;
        over = unread;
        writing = true;
      }
      if (unread) {
        leave();
        close();
      } else {
        succeeded();
      }
    }

    /** The write before is done: the next. */
    @Override
    public void succeeded() {
      ByteBuffer next;
      synchronized (this) {
        if (over) {
          next = null;
        } else if (queue.isEmpty()) {
          writing = false;
          return;
        } else {
          next = together();
        }
      }
      if (next == null) {
        failed(new EOFException("the page is gone"));
      } else {
        response.write(false, next, this);
      }
    }

    private ByteBuffer together() {
      ByteBuffer all = ByteBuffer.allocate((int) queued);
      queue.forEach(all::put);
      queue.clear();
      queued = 0;
      return all.flip();
    }

    /** The write failed, or there is none and will be none. */
    @Override
    public void failed(Throwable failure) {
      synchronized (this) {
        if (ended) {
          return;
        }
        ended = true;
        over = true;
        queue.clear();
      }
      leave();
      end.failed(failure);
    }

    /** The connection failed; a write under way does, too, and then ends the answer. */
    private void broken(Throwable failure) {
      boolean idle;
      synchronized (this) {
        over = true;
        idle = !writing;
      }
      leave();
      if (idle) {
        failed(failure);
      }
    }

    private void finish() {
      boolean idle;
      synchronized (this) {
        if (over) {
          return;
        }
        over = true;
        idle = !writing;
        ended = idle;
      }
      leave();
      if (idle) {
        response.write(true, ByteBuffer.allocate(0), end);
      } else {
        close();
      }
    }

    private void leave() {
      pages.remove(this);
      wall.feed().leave(this);
    }

    private void close() {
      request.getConnectionMetaData().getConnection().getEndPoint().close();
    }
  }
}
