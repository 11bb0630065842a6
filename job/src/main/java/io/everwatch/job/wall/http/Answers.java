// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Writes answers. */
final class Answers {
  static final String JSON = "application/json; charset=utf-8";
  static final String HTML = "text/html; charset=utf-8";

  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
          + " media-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none';"
          + " base-uri 'none'; form-action 'self'";

  private static final int TAG_BYTES = 12;

  private Answers() {}

  /** The headers that every answer has. */
  static void protect(HttpFields.Mutable headers) {
    headers.put("Content-Security-Policy", POLICY);
    headers.put("X-Content-Type-Options", "nosniff");
    headers.put("Referrer-Policy", "no-referrer");
    headers.put("Cross-Origin-Opener-Policy", "same-origin");
    headers.put("Cross-Origin-Resource-Policy", "same-origin");
  }

  static void json(Request request, Response response, Callback callback, String json) {
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    send(request, response, callback, JSON, json.getBytes(StandardCharsets.UTF_8));
  }

  /** Three parts in two fields: what happened; what to do. */
  static void error(
      Request request, Response response, Callback callback, int status, String what, String hint) {
    response.setStatus(status);
    String json =
        JsonNodeFactory.instance.objectNode().put("error", what).put("hint", hint).toString();
    json(request, response, callback, json);
  }

  /** With a strong entity tag: 304 when the page has it already. */
  static void tagged(
      Request request, Response response, Callback callback, String type, byte[] bytes) {
    tagged(request, response, callback, type, bytes, tag(bytes));
  }

  static void tagged(
      Request request,
      Response response,
      Callback callback,
      String type,
      byte[] bytes,
      String tag) {
    response.getHeaders().put(HttpHeader.ETAG, tag);
    String had = request.getHeaders().get(HttpHeader.IF_NONE_MATCH);
    // Of what was sent compressed, Jetty's tag has a suffix inside its quotes.
    if (had != null && had.contains(tag.substring(0, tag.length() - 1))) {
      response.setStatus(HttpStatus.NOT_MODIFIED_304);
      callback.succeeded();
      return;
    }
    send(request, response, callback, type, bytes);
  }

  static void send(
      Request request, Response response, Callback callback, String type, byte[] bytes) {
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, bytes.length);
    boolean head = request.getMethod().equals("HEAD");
    response.write(true, head ? ByteBuffer.allocate(0) : ByteBuffer.wrap(bytes), callback);
  }

  /** Strong: of the bytes alone. */
  static String tag(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return '"' + HexFormat.of().formatHex(digest, 0, TAG_BYTES) + '"';
    } catch (NoSuchAlgorithmException impossible) { // each Java has it
      throw new IllegalStateException(impossible);
    }
  }
}
