// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * {@code /clips/NAME}: recorded videos of one folder and their captions beside them, in pieces as a
 * browser's player asks for them (RFC 9110, 14). Nothing outside the folder, also not through
 * links.
 */
final class ClipsHandler extends Handler.Abstract {
  private static final int MOST = 1_000;
  private static final String CAPTIONS = "vtt";
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d{0,18})-(\\d{0,18})");

  private static final Map<String, String> TYPES =
      Map.of(
          "mp4", "video/mp4", "m4v", "video/mp4", "webm", "video/webm", "mov", "video/quicktime");

  private final Optional<Path> folder;

  /**
   * Serves a folder.
   *
   * @param folder empty = there are no clips
   * @throws IOException when it is not there
   */
  ClipsHandler(Optional<Path> folder) throws IOException {
    this.folder = folder.isEmpty() ? folder : Optional.of(folder.get().toRealPath());
  }

  boolean present() {
    return folder.isPresent();
  }

  /** {@code GET /api/clips}. */
  String list() throws IOException {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    ArrayNode clips = node.putArray("clips");
    for (Path file : files()) {
      String name = file.getFileName().toString();
      clips
          .addObject()
          .put("name", name)
          .put("bytes", Files.size(file))
          .put("captions", find(captions(name)).isPresent())
          .put("type", TYPES.get(extension(name)));
    }
    return node.toString();
  }

  private List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    if (folder.isEmpty()) {
      return files;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder.get())) {
      for (Path file : all) {
        String name = file.getFileName().toString();
        if (files.size() < MOST && TYPES.containsKey(extension(name)) && find(name).isPresent()) {
          files.add(file);
        }
      }
    }
    files.sort(Comparator.comparing(file -> file.getFileName().toString()));
    return files;
  }

  private static String captions(String name) {
    return name.substring(0, name.lastIndexOf('.') + 1) + CAPTIONS;
  }

  private static String extension(String name) {
    return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  /** A file of the folder itself, whatever links say. */
  private Optional<Path> find(String name) {
    if (folder.isEmpty() || name.isEmpty() || name.startsWith(".")) {
      return Optional.empty();
    }
    try {
      Path file = folder.get().resolve(name);
      if (!folder.get().equals(file.getParent()) || !Files.isRegularFile(file)) {
        return Optional.empty();
      }
      Path real = file.toRealPath();
      return real.startsWith(folder.get()) ? Optional.of(real) : Optional.empty();
    } catch (IOException | InvalidPathException e) {
      return Optional.empty();
    }
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    Ask ask;
    try {
      ask = Ask.of(request);
    } catch (Ask.BadAskException e) {
      return false;
    }
    if (!ask.part(0).equals("clips") || ask.path().size() != 2 || ask.part(1).isEmpty()) {
      return false;
    }
    String name = ask.part(1);
    // The player asks for NAME.mp4.vtt or NAME.vtt.
    String file = name.endsWith("." + CAPTIONS) ? captionsOf(name) : name;
    String type =
        file.endsWith("." + CAPTIONS)
            ? "text/vtt; charset=utf-8"
            : TYPES.getOrDefault(extension(file), "");
    Optional<Path> found = type.isEmpty() ? Optional.empty() : find(file);
    if (found.isEmpty()) {
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.NOT_FOUND_404,
          "there is no such clip",
          "/api/clips lists those of the folder given with --clips");
      return true;
    }
    send(found.get(), type, request, response, callback);
    return true;
  }

  private static String captionsOf(String name) {
    String clip = name.substring(0, name.length() - CAPTIONS.length() - 1);
    return TYPES.containsKey(extension(clip)) ? captions(clip) : name;
  }

  private static void send(
      Path file, String type, Request request, Response response, Callback callback)
      throws IOException {
    long size = Files.size(file);
    String tag = "\"%x-%x\"".formatted(size, Files.getLastModifiedTime(file).toMillis());
    response
        .getHeaders()
        .put(HttpHeader.CONTENT_TYPE, type)
        .put(HttpHeader.ACCEPT_RANGES, "bytes")
        .put(HttpHeader.CACHE_CONTROL, "no-cache")
        .put(HttpHeader.ETAG, tag);
    long from = 0;
    long to = size - 1;
    Matcher range = RANGE.matcher(String.valueOf(request.getHeaders().get(HttpHeader.RANGE)));
    String unchanged = request.getHeaders().get("If-Range");
    if (range.matches() && (unchanged == null || unchanged.equals(tag))) {
      boolean suffix = range.group(1).isEmpty();
      long last = range.group(2).isEmpty() ? size - 1 : Long.parseLong(range.group(2));
      from = suffix ? Math.max(0, size - last) : Long.parseLong(range.group(1));
      to = suffix ? size - 1 : Math.min(last, size - 1);
      if (from > to || (suffix && range.group(2).isEmpty())) {
        response.setStatus(HttpStatus.RANGE_NOT_SATISFIABLE_416);
        response.getHeaders().put(HttpHeader.CONTENT_RANGE, "bytes */" + size);
        callback.succeeded();
        return;
      }
      response.setStatus(HttpStatus.PARTIAL_CONTENT_206);
      response
          .getHeaders()
          .put(HttpHeader.CONTENT_RANGE, "bytes %d-%d/%d".formatted(from, to, size));
    } else if (tag.equals(request.getHeaders().get(HttpHeader.IF_NONE_MATCH))) {
      response.setStatus(HttpStatus.NOT_MODIFIED_304);
      callback.succeeded();
      return;
    }
    long length = to - from + 1;
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
    if (request.getMethod().equals("HEAD") || length == 0) {
      callback.succeeded();
      return;
    }
    Content.copy(Content.Source.from(file, from, length), response, callback);
  }
}
