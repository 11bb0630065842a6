// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.http;

import io.everwatch.job.captions.CaptionFormat;
import io.everwatch.job.wall.WallApi;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** {@code /api/…}: JSON, captions and pictures. */
final class ApiHandler extends Handler.Abstract {
  private static final int MAX_QUERY = 200;
  private static final int STANDARD = 100;

  private final WallApi api;
  private final LiveHandler live;
  private final ClipsHandler clips;

  ApiHandler(WallApi api, LiveHandler live, ClipsHandler clips) {
    this.api = api;
    this.live = live;
    this.clips = clips;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    try {
      Ask ask = Ask.of(request);
      if (ask.part(0).equals("api")) {
        answer(ask, request, response, callback);
        return true;
      }
    } catch (Ask.BadAskException e) {
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.BAD_REQUEST_400,
          String.valueOf(e.getMessage()),
          "docs/wall.md lists what can be asked");
      return true;
    } catch (WallApi.BusyException e) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, 1);
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.SERVICE_UNAVAILABLE_503,
          "too much is being asked for at once",
          "ask again in a second");
      return true;
    } catch (KafkaException e) {
      Answers.error(
          request,
          response,
          callback,
          HttpStatus.BAD_GATEWAY_502,
          "the broker did not give the frames: " + e.getMessage(),
          "see whether it runs and lets this user read the topic");
      return true;
    }
    return false;
  }

  private void answer(Ask ask, Request request, Response response, Callback callback)
      throws Exception {
    switch (ask.part(1)) {
      case "wall" -> json(Optional.of(api.wall(clips.present())), ask, request, response, callback);
      case "live" -> live.handle(request, response, callback);
      case "job" -> json(Optional.of(api.job()), ask, request, response, callback);
      case "clips" -> json(Optional.of(clips.list()), ask, request, response, callback);
      case "search" -> search(ask, request, response, callback);
      case "streams" -> {
        if (ask.path().size() == 2) {
          json(Optional.of(api.streams()), ask, request, response, callback);
        } else {
          stream(ask, request, response, callback);
        }
      }
      default -> missing(ask, request, response, callback);
    }
  }

  private void search(Ask ask, Request request, Response response, Callback callback)
      throws Exception {
    String query = ask.text("q").orElse("").strip();
    if (query.isEmpty() || query.length() > MAX_QUERY) {
      throw new Ask.BadAskException(
          "'q' has %d characters; expected 1 to %d".formatted(query.length(), MAX_QUERY));
    }
    int limit = ask.limit(STANDARD, WallApi.MAX_RESULTS);
    json(
        Optional.of(api.search(query, ask.text("stream"), ask.number("before"), limit)),
        ask,
        request,
        response,
        callback);
  }

  private void stream(Ask ask, Request request, Response response, Callback callback)
      throws Exception {
    String id = ask.part(2);
    switch (ask.part(3)) {
      case "" -> json(api.stream(id), ask, request, response, callback);
      case "texts" ->
          json(
              api.texts(
                  id,
                  ask.number("before"),
                  ask.number("after"),
                  ask.limit(STANDARD, WallApi.MAX_TEXTS)),
              ask,
              request,
              response,
              callback);
      case "memory" -> json(api.memory(id), ask, request, response, callback);
      case "captions.vtt" ->
          captions(CaptionFormat.WEBVTT, "text/vtt", ask, request, response, callback);
      case "captions.srt" ->
          captions(CaptionFormat.SRT, "application/x-subrip", ask, request, response, callback);
      case "frame" ->
          image(
              api.newest(id, ask.width()),
              ask.text("v").isPresent(),
              ask,
              request,
              response,
              callback);
      case "frames" -> frame(ask, request, response, callback);
      default -> missing(ask, request, response, callback);
    }
  }

  private void frame(Ask ask, Request request, Response response, Callback callback)
      throws Exception {
    long micros;
    try {
      micros = Long.parseLong(ask.part(4));
    } catch (NumberFormatException e) {
      throw new Ask.BadAskException("a frame is asked for by its capture time in microseconds");
    }
    image(api.at(ask.part(2), micros, ask.width()), true, ask, request, response, callback);
  }

  private void image(
      Optional<WallApi.Image> image,
      boolean lasting,
      Ask ask,
      Request request,
      Response response,
      Callback callback) {
    if (image.isEmpty()) {
      missing(ask, request, response, callback);
      return;
    }
    response
        .getHeaders()
        .put(HttpHeader.CACHE_CONTROL, lasting ? "private, max-age=600" : "no-store");
    Answers.tagged(request, response, callback, image.get().type(), image.get().bytes());
  }

  private void captions(
      CaptionFormat format,
      String type,
      Ask ask,
      Request request,
      Response response,
      Callback callback)
      throws Exception {
    Optional<String> text = api.captions(ask.part(2), format, ask.number("from"), ask.number("to"));
    if (text.isEmpty()) {
      missing(ask, request, response, callback);
      return;
    }
    String name = ask.part(2).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]", "_");
    response
        .getHeaders()
        .put(
            HttpHeader.CONTENT_DISPOSITION,
            "attachment; filename=\"%s.%s\"".formatted(name, format.extension()))
        .put(HttpHeader.CACHE_CONTROL, "no-store");
    byte[] bytes = text.get().getBytes(StandardCharsets.UTF_8);
    Answers.send(request, response, callback, type + "; charset=utf-8", bytes);
  }

  private static void json(
      Optional<String> json, Ask ask, Request request, Response response, Callback callback) {
    if (json.isEmpty()) {
      missing(ask, request, response, callback);
    } else {
      Answers.json(request, response, callback, json.get());
    }
  }

  private static void missing(Ask ask, Request request, Response response, Callback callback) {
    boolean stream = ask.part(1).equals("streams");
    Answers.error(
        request,
        response,
        callback,
        HttpStatus.NOT_FOUND_404,
        stream ? "there is no such stream, or not that of it" : "there is no such thing",
        stream
            ? "the stream may be new, or what is asked for no longer kept"
            : "docs/wall.md lists what can be asked");
  }
}
