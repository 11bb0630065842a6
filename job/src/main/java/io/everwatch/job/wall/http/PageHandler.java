// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** The pages themselves, from the class path: one document for all of them, and its assets. */
final class PageHandler extends Handler.Abstract {
  private static final String FOLDER = "/io/everwatch/job/wall/page/";

  /** No name that leaves the folder: no part begins with a dot. */
  private static final Pattern ASSET =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");

  private static final Set<String> PAGES = Set.of("", "streams", "job", "clips", "help", "search");

  private static final Map<String, String> TYPES =
      Map.ofEntries(
          Map.entry("css", "text/css; charset=utf-8"),
          Map.entry("html", Answers.HTML),
          Map.entry("ico", "image/x-icon"),
          Map.entry("js", "text/javascript; charset=utf-8"),
          Map.entry("json", Answers.JSON),
          Map.entry("jpg", "image/jpeg"),
          Map.entry("map", Answers.JSON),
          Map.entry("mjs", "text/javascript; charset=utf-8"),
          Map.entry("png", "image/png"),
          Map.entry("svg", "image/svg+xml"),
          Map.entry("txt", "text/plain; charset=utf-8"),
          Map.entry("webmanifest", "application/manifest+json"),
          Map.entry("webp", "image/webp"),
          Map.entry("woff2", "font/woff2"));

  /** While the page is being worked on: its folder, read anew each time. */
  private final @Nullable String source = System.getProperty("everwatch.wall.page");

  private final Map<String, Asset> assets = new ConcurrentHashMap<>();

  private record Asset(byte[] bytes, String tag) {}

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    Ask ask;
    try {
      ask = Ask.of(request);
    } catch (Ask.BadAskException e) {
      return false;
    }
    String path = String.join("/", ask.path());
    if (ask.part(0).equals("assets")) {
      return send(path, request, response, callback);
    }
    if (path.equals("favicon.ico")) {
      return send("assets/favicon.ico", request, response, callback);
    }
    return PAGES.contains(ask.part(0)) && send("index.html", request, response, callback);
  }

  private boolean send(String name, Request request, Response response, Callback callback)
      throws IOException {
    Optional<Asset> asset = asset(name);
    if (asset.isEmpty()) {
      return false;
    }
    String extension = name.substring(name.lastIndexOf('.') + 1);
    response.setStatus(HttpStatus.OK_200);
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-cache");
    Answers.tagged(
        request,
        response,
        callback,
        TYPES.getOrDefault(extension, "application/octet-stream"),
        asset.get().bytes(),
        asset.get().tag());
    return true;
  }

  private Optional<Asset> asset(String name) throws IOException {
    if (!ASSET.matcher(name).matches() || name.indexOf('.') < 0) {
      return Optional.empty();
    }
    if (source != null) {
      Path file = Path.of(source, name);
      return Files.isRegularFile(file)
          ? Optional.of(asset(Files.readAllBytes(file)))
          : Optional.empty();
    }
    Asset known = assets.get(name);
    if (known != null) {
      return Optional.of(known);
    }
    try (InputStream in = PageHandler.class.getResourceAsStream(FOLDER + name)) {
      if (in == null) {
        return Optional.empty();
      }
      Asset asset = asset(in.readAllBytes());
      assets.put(name, asset); // as many as there are files
      return Optional.of(asset);
    }
  }

  private static Asset asset(byte[] bytes) {
    return new Asset(bytes, Answers.tag(bytes));
  }
}
