// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Fields;

/**
 * What is asked for: the path's parts, each decoded by itself, so that a stream's name may have a
 * slash in it, and the query.
 */
record Ask(List<String> path, Fields query) {
  /** Of a question that cannot be understood; its message is for the one who asks. */
  static final class BadAskException extends Exception {
    private static final long serialVersionUID = 1;

    BadAskException(String message) {
      super(message);
    }
  }

  static Ask of(Request request) throws BadAskException {
    List<String> parts = new ArrayList<>();
    String path = request.getHttpURI().getPath();
    for (String part : path.substring(1).split("/", -1)) {
      parts.add(decoded(part));
    }
    try {
      return new Ask(parts, Request.extractQueryParameters(request));
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new BadAskException("the query cannot be read");
    }
  }

  private static String decoded(String part) throws BadAskException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * part.length());
    for (int i = 0; i < part.length(); i++) {
      char c = part.charAt(i);
      if (c == '%') {
        int high = i + 2 < part.length() ? Character.digit(part.charAt(i + 1), 16) : -1;
        int low = i + 2 < part.length() ? Character.digit(part.charAt(i + 2), 16) : -1;
        if (high < 0 || low < 0) {
          throw new BadAskException("'%' in the path is not followed by two hexadecimal digits");
        }
        bytes.put((byte) (high << 4 | low));
        i += 2;
      } else if (c < 0x80) {
        bytes.put((byte) c);
      } else {
        bytes.put(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
    } catch (CharacterCodingException e) {
      throw new BadAskException("the path is not UTF-8");
    }
  }

  String part(int at) {
    return at < path.size() ? path.get(at) : "";
  }

  Optional<String> text(String name) {
    return Optional.ofNullable(query.getValue(name));
  }

  OptionalLong number(String name) throws BadAskException {
    Optional<String> value = text(name);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(value.get()));
    } catch (NumberFormatException e) {
      throw new BadAskException("'%s' is no whole number".formatted(name));
    }
  }

  int limit(int standard, int most) throws BadAskException {
    long limit = number("limit").orElse(standard);
    if (limit < 1 || limit > most) {
      throw new BadAskException("'limit' is %d; expected 1 to %d".formatted(limit, most));
    }
    return (int) limit;
  }

  /** Width of a picture; 0 = as it is. */
  int width() throws BadAskException {
    long width = number("w").orElse(0);
    if (width != 0 && width != 160 && width != 320 && width != 640) {
      throw new BadAskException("'w' is %d; expected 160, 320 or 640".formatted(width));
    }
    return (int) width;
  }
}
