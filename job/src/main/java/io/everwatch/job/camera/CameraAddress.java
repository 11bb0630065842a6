// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a live camera is. Its credentials leave this object in {@link #url} only; {@link #toString}
 * hides them.
 */
public final class CameraAddress {
  /** Motion JPEG on standard input. */
  public static final String STANDARD_INPUT = "-";

  private static final Pattern URL =
      Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^\\s]*)");
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("(?:\\[[0-9A-Fa-f:.]+]|[^:\\[\\]\\s]+)(?::\\d{1,5})?");

  /** How a live camera speaks. */
  public enum Kind {
    RTSP,
    HLS,
    MJPEG,
    STANDARD_INPUT;

    /** Whether its time stamps follow a clock of the camera. */
    boolean hasTimeStamps() {
      return this == RTSP || this == HLS;
    }

    /** Whether the end of what is read is the end of the camera, and not a lost connection. */
    boolean ends() {
      return this == STANDARD_INPUT;
    }
  }

  private final Kind kind;
  private final String url;
  private final Redaction redaction;

  private CameraAddress(Kind kind, String url, List<String> secrets) {
    this.kind = kind;
    this.url = url;
    this.redaction = new Redaction(secrets);
  }

  /** Whether this is an address, or {@code -}, and no path or scene. */
  public static boolean isLive(String what) {
    return what.equals(STANDARD_INPUT) || URL.matcher(what).lookingAt();
  }

  /**
   * Parses {@code rtsp://…}, {@code rtsps://…}, {@code http(s)://…} or {@code -}.
   *
   * @throws IllegalArgumentException when it is none of them; the message shows no credentials
   */
  public static CameraAddress parse(String what) {
    if (what.equals(STANDARD_INPUT)) {
      return new CameraAddress(Kind.STANDARD_INPUT, what, List.of());
    }
    Matcher parts = URL.matcher(what);
    String scheme = parts.matches() ? parts.group(1).toLowerCase(Locale.ROOT) : "";
    if (!List.of("rtsp", "rtsps", "http", "https").contains(scheme)) {
      throw bad(what, "expected rtsp://…, rtsps://…, http://…, https://… or -, without blanks");
    }
    String authority = parts.group(2);
    int at = authority.lastIndexOf('@');
    if (!HOST_AND_PORT.matcher(authority.substring(at + 1)).matches()) {
      throw bad(
          what, "expected a host, and a port if any; percent-encode / ? # @ and : of a password");
    }
    String path = parts.group(3).replaceFirst("[?#].*", "").toLowerCase(Locale.ROOT);
    Kind kind =
        scheme.startsWith("rtsp")
            ? Kind.RTSP
            : path.endsWith(".m3u8") || path.endsWith(".m3u") ? Kind.HLS : Kind.MJPEG;
    return new CameraAddress(
        kind,
        scheme + "://" + authority + parts.group(3),
        at < 0 ? List.of() : secretsOf(authority.substring(0, at)));
  }

  private static IllegalArgumentException bad(String what, String expected) {
    return new IllegalArgumentException(
        "'%s' is no address of a camera; %s".formatted(Redaction.addresses(what), expected));
  }

  /** The password as it stands and decoded; the name alone opens nothing. */
  private static List<String> secretsOf(String userInfo) {
    List<String> secrets = new ArrayList<>();
    int colon = userInfo.indexOf(':');
    if (colon >= 0) {
      String password = userInfo.substring(colon + 1);
      secrets.add(password);
      try {
        secrets.add(URLDecoder.decode(password.replace("+", "%2B"), StandardCharsets.UTF_8));
      } catch (IllegalArgumentException e) {
        // A stray %: then it was not encoded, and the first form is all there is.
      }
    }
    return secrets;
  }

  /**
   * The same camera, asked with these.
   *
   * @throws IllegalArgumentException when the address has credentials of its own, or takes none
   */
  CameraAddress withCredentials(String user, String password) {
    int begin = url.indexOf("://");
    if (begin < 0) {
      throw new IllegalArgumentException("standard input takes no user and password");
    }
    String rest = url.substring(begin + 3);
    if (rest.replaceFirst("[/?#].*", "").contains("@")) {
      throw new IllegalArgumentException(
          "the address %s has credentials already; give them once".formatted(this));
    }
    return parse(
        url.substring(0, begin + 3) + encoded(user) + ":" + encoded(password) + "@" + rest);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  public Kind kind() {
    return kind;
  }

  /** With its credentials: for who opens it, and for nobody else. */
  String url() {
    return url;
  }

  /** Whether it is spoken to through TLS. */
  boolean encrypted() {
    return url.startsWith("rtsps:") || url.startsWith("https:");
  }

  /** Hides this camera's credentials in any text. */
  Redaction redaction() {
    return redaction;
  }

  /** Without credentials. */
  @Override
  public String toString() {
    return kind == Kind.STANDARD_INPUT ? "standard input" : redaction.of(url);
  }

  /** The address in what somebody gave, if it is one. */
  static Optional<CameraAddress> find(String what) {
    return isLive(what) ? Optional.of(parse(what)) : Optional.empty();
  }
}
