// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Before all else: the headers that every answer has, the Host, the method, the token. */
final class GateHandler extends Handler.Wrapper {
  private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

  private final WallSecurity security;
  private final Optional<Login> login;

  private final String bound;

  /**
   * Guards what is inside.
   *
   * @param bound name under which it listens
   */
  GateHandler(WallSecurity security, String bound, Handler inner) {
    super(inner);
    this.security = security;
    this.bound = bound.toLowerCase(Locale.ROOT);
    login =
        security.token().map(token -> new Login(token, security.tls() || security.behindProxy()));
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    HttpFields.Mutable headers = response.getHeaders();
    Answers.protect(headers);
    if (!known(request)) {
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.MISDIRECTED_REQUEST_421,
          "the wall is not served under this name",
          "use the address that 'everwatch serve' printed, or give the name with --host");
      return true;
    }
    String path = request.getHttpURI().getPath();
    String method = request.getMethod();
    if (login.isPresent() && path.equals("/login")) {
      login.get().handle(request, response, callback);
      return true;
    }
    if (!method.equals("GET") && !method.equals("HEAD")) {
      headers.put(HttpHeader.ALLOW, "GET, HEAD");
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.METHOD_NOT_ALLOWED_405,
          "the wall only shows; it takes GET and HEAD",
          "to tell a stream something, use 'everwatch command'");
      return true;
    }
    boolean free = path.startsWith("/assets/") || path.equals("/favicon.ico");
    if (login.isPresent() && !free && !login.get().admits(request)) {
      login.get().refuse(request, response, callback);
      return true;
    }
    return super.handle(request, response, callback);
  }

  /**
   * A page of another site whose name was made to point here (DNS rebinding) sends that name. With
   * a token it gains nothing, since its cookies are those of its own name.
   */
  private boolean known(Request request) {
    if (security.token().isPresent() && security.hosts().isEmpty()) {
      return true;
    }
    String host = String.valueOf(Request.getServerName(request)).toLowerCase(Locale.ROOT);
    return LOCAL.contains(host) || host.equals(bound) || security.hosts().contains(host);
  }
}
