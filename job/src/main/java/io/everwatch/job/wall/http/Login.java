// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;

/**
 * The token: sent with each request ({@code Authorization: Bearer}), or once, for a cookie that
 * does not contain it. Compared in constant time, failures counted per address.
 */
final class Login {
  private static final String COOKIE = "everwatch-wall";
  private static final String BEARER = "Bearer ";

  private final byte[] token;
  private final String cookie;
  private final boolean secure;
  private final Failures failures = new Failures(System::nanoTime);

  /**
   * Knows the token.
   *
   * @param secure the browser reaches the wall by HTTPS
   */
  Login(String token, boolean secure) {
    this.token = digest(token);
    this.cookie = HexFormat.of().formatHex(sign(token));
    this.secure = secure;
  }

  /** Survives a restart of the server, not a change of the token. */
  private static byte[] sign(String token) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(token.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
      return mac.doFinal("everwatch wall".getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException impossible) { // each Java has it
      throw new IllegalStateException(impossible);
    }
  }

  private static byte[] digest(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException impossible) { // each Java has it
      throw new IllegalStateException(impossible);
    }
  }

  /** Whether the request shows that it knows the token. */
  boolean admits(Request request) {
    String bearer = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    if (bearer != null && bearer.startsWith(BEARER)) {
      return right(request, bearer.substring(BEARER.length()));
    }
    return Request.getCookies(request).stream()
        .filter(one -> one.getName().equals(COOKIE))
        .anyMatch(one -> MessageDigest.isEqual(digest(one.getValue()), digest(cookie)));
  }

  private boolean right(Request request, String given) {
    String from = Request.getRemoteAddr(request);
    if (!failures.mayTry(from)) {
      return false;
    }
    boolean right = MessageDigest.isEqual(digest(given), token);
    if (!right) {
      failures.add(from);
    }
    return right;
  }

  /** {@code /login?token=…}, or the form that {@link #refuse} shows. */
  void handle(Request request, Response response, Callback callback) throws Exception {
    Optional<String> given = token(request);
    if (given.isPresent() && right(request, given.get())) {
      Response.addCookie(
          response,
          HttpCookie.build(COOKIE, cookie)
              .path("/")
              .httpOnly(true)
              .secure(secure)
              .sameSite(HttpCookie.SameSite.STRICT)
              .maxAge(30L * 24 * 60 * 60)
              .build());
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
      response.getHeaders().put(HttpHeader.LOCATION, "/");
      response.setStatus(HttpStatus.SEE_OTHER_303);
      callback.succeeded();
      return;
    }
    refuse(request, response, callback);
  }

  private static Optional<String> token(Request request) throws Exception {
    Fields fields =
        request.getMethod().equals("POST")
            ? Request.getParameters(request)
            : Request.extractQueryParameters(request);
    return Optional.ofNullable(fields.getValue("token"));
  }

  /** 401, or 429 for who has tried too often; a page for people, JSON for programs. */
  void refuse(Request request, Response response, Callback callback) {
    boolean may = failures.mayTry(Request.getRemoteAddr(request));
    int status = may ? HttpStatus.UNAUTHORIZED_401 : HttpStatus.TOO_MANY_REQUESTS_429;
    if (may) {
      response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "Bearer");
    } else {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, Failures.WINDOW_SECONDS);
    }
    if (request.getHttpURI().getPath().startsWith("/api")) {
      Answers.error(
          request,
          response,
          callback,
          status,
          may ? "this wall asks for its token" : "too many wrong tokens from this address",
          may ? "sign in at /login, or send 'Authorization: Bearer TOKEN'" : "wait a minute");
      return;
    }
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    byte[] page = page(may).getBytes(StandardCharsets.UTF_8);
    Answers.send(request, response, callback, Answers.HTML, page);
  }

  private static String page(boolean may) {
    String form =
        """
        <form class="signin" method="post" action="/login">
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
        <button class="button" type="submit">Sign in</button>
        </form>
        """;
    return """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Everwatch: sign in</title>
        <link rel="stylesheet" href="/assets/base.css">
        <link rel="icon" href="/assets/icon.svg">
        </head>
        <body>
        <main>
        <div class="state">
        <h1>Everwatch</h1>
        <p>%s</p>
        %s</div>
        </main>
        </body>
        </html>
        """
        .formatted(
            may
                ? "This wall asks for its token: the text of the file given with --token-file."
                : "Too many wrong tokens came from this address. Wait a minute, then try again.",
            may ? form : "");
  }
}
