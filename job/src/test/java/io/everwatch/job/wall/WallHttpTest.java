// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.everwatch.schemas.avro.FrameEncoding;
import io.everwatch.schemas.avro.MemoryFigures;
import io.everwatch.schemas.avro.TextKind;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is asked for and answered; without Kafka. */
class WallHttpTest {
  private Served wall;
  private Told told;

  @BeforeEach
  void serve() throws Exception {
    wall = Served.open();
    told = wall.told;
  }

  @AfterEach
  void close() {
    wall.close();
  }

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  private static List<String> texts(JsonNode texts) {
    List<String> all = new ArrayList<>();
    texts.path("texts").forEach(text -> all.add(text.path("text").asText()));
    return all;
  }

  @Test
  void saysWhatItIs() throws Exception {
    JsonNode answer = wall.json("/api/wall");

    assertThat(answer.path("version").asText()).isEqualTo("1.2.3");
    assertThat(answer.path("instance").asText()).hasSize(16);
    assertThat(answer.path("topics").path("text").asText()).isEqualTo("text");
    assertThat(answer.path("chunkMicros").asLong()).isEqualTo(1_000_000);
    assertThat(answer.path("clips").asBoolean()).isFalse();
  }

  @Test
  void tellsOfAStreamWhateverItsName() throws Exception {
    told.says("floor 1/gate é%?#", 3, "A car.");

    assertThat(wall.json("/api/streams").path("streams")).hasSize(1);
    JsonNode stream = wall.json("/api/streams/floor%201%2Fgate%20%C3%A9%25%3F%23");
    assertThat(stream.path("id").asText()).isEqualTo("floor 1/gate é%?#");
    assertThat(stream.path("chunk").asLong()).isEqualTo(3);
    assertThat(stream.path("kind").asText()).isEqualTo("COMMENT");
    assertThat(stream.path("frame").isNull()).isTrue();
    assertThat(stream.path("committedChunk").isNull()).isTrue();
  }

  @Test
  void whatIsNotThereIsSaidInJson() throws Exception {
    for (String path :
        List.of("/api/streams/none", "/api/none", "/api/streams/none/texts", "/none", "/clips/x")) {
      HttpResponse<byte[]> response = wall.get(path);
      assertThat(response.statusCode()).as(path).isEqualTo(404);
      assertThat(text(response)).as(path).startsWith("{\"error\":").contains("\"hint\":");
    }
  }

  @Test
  void whatCannotBeUnderstoodIsSaid() throws Exception {
    told.says("gate", 0, "A car.");
    for (String path :
        List.of(
            "/api/search",
            "/api/search?q=" + "x".repeat(201),
            "/api/search?q=x&limit=0",
            "/api/search?q=x&limit=201",
            "/api/streams/gate/texts?limit=1001",
            "/api/streams/gate/texts?before=soon",
            "/api/streams/gate/frame?w=123",
            "/api/streams/gate/frames/now")) {
      HttpResponse<byte[]> response = wall.get(path);
      assertThat(response.statusCode()).as(path).isEqualTo(400);
      assertThat(text(response)).as(path).contains("\"error\":");
    }
  }

  @Test
  void givesTextsBetweenTimesOldestFirst() throws Exception {
    for (int chunk = 0; chunk < 10; chunk++) {
      told.says("gate", chunk, "Second " + chunk);
    }
    long micros = 1000 * Told.START_MILLIS;
    String path = "/api/streams/gate/texts?limit=3";

    JsonNode newest = wall.json(path);
    assertThat(texts(newest)).containsExactly("Second 7", "Second 8", "Second 9");
    assertThat(newest.path("complete").asBoolean()).isFalse();
    assertThat(newest.path("oldestMicros").asLong()).isEqualTo(micros);
    assertThat(texts(wall.json(path + "&before=" + (micros + 2_000_000))))
        .containsExactly("Second 0", "Second 1");
    assertThat(texts(wall.json(path + "&after=" + (micros + 2_000_000))))
        .containsExactly("Second 2", "Second 3", "Second 4");
    JsonNode between =
        wall.json(path + "&after=%d&before=%d".formatted(micros + 4_000_000, micros + 6_000_000));
    assertThat(texts(between)).containsExactly("Second 4", "Second 5");
    assertThat(between.path("complete").asBoolean()).isTrue();
  }

  @Test
  void textIsOnlyEverJson() throws Exception {
    String hostile = "</script><img src=x onerror=alert(1)>\u2028\"\n";
    told.says("<b>gate</b>", 0, hostile);

    HttpResponse<byte[]> response = wall.get("/api/streams/%3Cb%3Egate%3C%2Fb%3E/texts");

    assertThat(response.headers().firstValue("content-type"))
        .hasValue("application/json; charset=utf-8");
    assertThat(response.headers().firstValue("x-content-type-options")).hasValue("nosniff");
    assertThat(wall.json("/api/search?q=onerror").at("/results/0/text").asText())
        .isEqualTo(hostile);
    assertThat(text(wall.get("/streams/%3Cb%3Egate%3C%2Fb%3E"))).doesNotContain("gate");
  }

  @Test
  void findsTextWithThePlacesInIt() throws Exception {
    told.says("gate", 0, "A red car.");
    told.says("yard", 1, "A blue car.");

    JsonNode answer = wall.json("/api/search?q=CAR%20red&stream=gate");

    assertThat(answer.path("results")).hasSize(1);
    assertThat(answer.at("/results/0/ranges").toString()).isEqualTo("[[2,5],[6,9]]");
    assertThat(wall.json("/api/search?q=car").path("results")).hasSize(2);
  }

  @Test
  void everyAnswerCarriesThePolicy() throws Exception {
    for (String path :
        List.of("/", "/api/wall", "/none", "/assets/main.js", "/streams/gate/memory")) {
      HttpResponse<byte[]> response = wall.get(path);
      assertThat(response.headers().firstValue("content-security-policy"))
          .as(path)
          .hasValueSatisfying(
              policy ->
                  assertThat(policy)
                      .contains("default-src 'none'", "frame-ancestors 'none'")
                      .doesNotContain("unsafe"));
      assertThat(response.headers().firstValue("referrer-policy")).hasValue("no-referrer");
      assertThat(response.headers().firstValue("cross-origin-resource-policy"))
          .hasValue("same-origin");
      assertThat(response.headers().firstValue("server")).as(path).isEmpty();
    }
  }

  @Test
  void pagesAreOneDocumentWithAStrongTagAndAreSentOnce() throws Exception {
    HttpResponse<byte[]> page = wall.get("/streams/gate");

    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(text(page)).startsWith("<!doctype html>");
    String tag = page.headers().firstValue("etag").orElseThrow();
    assertThat(tag).startsWith("\"");
    assertThat(wall.get("/", "If-None-Match", tag).statusCode()).isEqualTo(304);
    assertThat(wall.get("/", "If-None-Match", "\"other\"").statusCode()).isEqualTo(200);
  }

  @Test
  void textIsCompressedAndComesBackUnchanged() throws Exception {
    HttpResponse<byte[]> packed = wall.get("/assets/main.js", "Accept-Encoding", "gzip");

    assertThat(packed.headers().firstValue("content-encoding")).hasValue("gzip");
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(packed.body()))) {
      assertThat(in.readAllBytes()).isEqualTo(wall.get("/assets/main.js").body());
    }
    String tag = packed.headers().firstValue("etag").orElseThrow();
    assertThat(
            wall.get("/assets/main.js", "Accept-Encoding", "gzip", "If-None-Match", tag)
                .statusCode())
        .isEqualTo(304);
  }

  @Test
  void picturesAreSentAsTheyAreOrSmaller() throws Exception {
    byte[] jpeg = PicturesTest.picture("JPEG", 640, 480);
    told.sees("gate", 7, FrameEncoding.JPEG, jpeg);

    HttpResponse<byte[]> whole = wall.get("/api/streams/gate/frame?v=7", "Accept-Encoding", "gzip");
    assertThat(whole.body()).isEqualTo(jpeg);
    assertThat(whole.headers().firstValue("content-type")).hasValue("image/jpeg");
    assertThat(whole.headers().firstValue("content-encoding")).isEmpty();
    assertThat(whole.headers().firstValue("cache-control")).hasValue("private, max-age=600");
    HttpResponse<byte[]> small = wall.get("/api/streams/gate/frame?w=160");
    assertThat(small.body().length).isLessThan(jpeg.length);
    assertThat(small.headers().firstValue("cache-control")).hasValue("no-store");
    assertThat(wall.get("/api/streams/none/frame").statusCode()).isEqualTo(404);
  }

  @Test
  void captionsAreAFile() throws Exception {
    told.says("gate", 0, "A car.");
    told.says("gate", 9, "A bus.");
    long from = 1000 * Told.START_MILLIS;

    HttpResponse<byte[]> vtt =
        wall.get("/api/streams/gate/captions.vtt?from=%d&to=%d".formatted(from, from + 5_000_000));
    assertThat(text(vtt)).startsWith("WEBVTT").contains("A car.").doesNotContain("A bus.");
    assertThat(vtt.headers().firstValue("content-disposition"))
        .hasValue("attachment; filename=\"gate.vtt\"");
    assertThat(text(wall.get("/api/streams/gate/captions.srt"))).contains("A bus.", " --> ");
  }

  @Test
  void theMemoryIsToldWithWhatHasMovedIntoItsText() throws Exception {
    for (int round = 0; round < 8; round++) {
      MemoryFigures memory =
          new MemoryFigures(
              40 * Math.min(3, round + 1),
              10 * Math.min(3, round + 1),
              20,
              5,
              8,
              false,
              round * 10L,
              round * 100L,
              0L,
              round == 4 ? "Watch." : null,
              round == 4 ? "Earlier." : null);
      told.tell(
          told.event("gate", round, TextKind.COMMENT)
              .setText("Round " + round)
              .setTokenCount(10)
              .setMemory(memory));
    }

    JsonNode answer = wall.json("/api/streams/gate/memory");

    assertThat(answer.at("/now/vision").asInt()).isEqualTo(120);
    assertThat(answer.at("/now/windowTokens").asInt()).isEqualTo(12);
    assertThat(answer.path("series")).hasSize(8);
    assertThat(answer.at("/series/7/computed").asLong()).isEqualTo(700);
    assertThat(answer.at("/text/asOfChunk").asLong()).isEqualTo(4);
    assertThat(answer.at("/text/sink").asText()).isEqualTo("Watch.");
    // After round 4 the rounds 2 to 4 have their pictures, after round 7 the rounds 5 to 7.
    assertThat(answer.at("/text/added").toString())
        .isEqualTo("[\"Round 2\",\"Round 3\",\"Round 4\"]");
    assertThat(answer.at("/settings/visualRounds").asInt()).isEqualTo(3);
    assertThat(wall.json("/api/streams/gate/texts").at("/texts/7/memory/full").isBoolean())
        .isTrue();
  }

  @Test
  void tellsOfTheWholeJob() throws Exception {
    told.says("gate", 0, "A car.");
    told.sees("yard", 0, FrameEncoding.JPEG, new byte[10]);

    JsonNode job = wall.json("/api/job");

    assertThat(job.path("flink").isNull()).isTrue();
    assertThat(job.at("/lagMillis/p50").asLong()).isBetween(250L, 275L);
    assertThat(job.at("/lagMillis/histogram").toString()).contains("[300,1]", "[null,0]");
    assertThat(job.path("clients").asInt()).isZero();
  }

  @Test
  void aPageIsToldEverythingThenWhatChangesAndWhatItMissed() throws Exception {
    told.says("gate", 0, "A car.");
    String id;
    try (Socket socket = wall.socket()) {
      socket.getOutputStream().write(live(""));
      String first = Served.readUntil(socket.getInputStream(), "event: job");
      assertThat(first)
          .contains("200 OK", "text/event-stream", "event: hello", "\"full\":true", "A car.");

      told.says("gate", 1, "A bus.");
      String then = Served.readUntil(socket.getInputStream(), "event: texts");
      then += Served.readUntil(socket.getInputStream(), "\n\n");
      assertThat(then).contains("A bus.").doesNotContain("event: hello");
      id = then.substring(then.lastIndexOf("id: ") + 4).lines().findFirst().orElseThrow();
    }
    told.says("gate", 2, "A bike.");
    try (Socket socket = wall.socket()) {
      socket.getOutputStream().write(live("Last-Event-ID: " + id + "\r\n"));
      String missed = Served.readUntil(socket.getInputStream(), "A bike.");
      assertThat(missed).doesNotContain("event: hello", "\"text\":\"A bus.\",\"tokens\"");
    }
  }

  private static byte[] live(String headers) {
    return ("GET /api/live HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n")
        .getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aNameThatIsNotItsOwnIsRefused() throws Exception {
    String answer =
        wall.raw("GET /api/wall HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 421").doesNotContain("version");
    assertThat(wall.raw("GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 200");
  }

  @Test
  void itOnlyShows() throws Exception {
    for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "TRACE")) {
      assertThat(
              wall.send(wall.request("/api/wall").method(method, BodyPublishers.noBody()).build())
                  .statusCode())
          .as(method)
          .isEqualTo(405);
    }
    HttpResponse<byte[]> head =
        wall.send(wall.request("/").method("HEAD", BodyPublishers.noBody()).build());
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.body()).isEmpty();
  }

  @Test
  void headersAreBounded() throws Exception {
    String answer =
        wall.raw(
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n".formatted("x".repeat(20_000)));

    assertThat(answer).startsWith("HTTP/1.1 431");
    assertThat(wall.raw("GET /" + "x".repeat(20_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .startsWith("HTTP/1.1 414");
    assertThat(wall.get("/api/wall").statusCode()).isEqualTo(200);
  }

  @Test
  void noPathLeavesThePage() throws Exception {
    for (String path :
        List.of(
            "/assets/../index.html",
            "/assets/%2e%2e/index.html",
            "/assets/..%2findex.html",
            "/assets/..%5cindex.html",
            "/assets/%2e%2e%2f%2e%2e%2fpackage-info.class",
            "/assets//etc/passwd",
            "/assets/.hidden",
            "/assets/main.js%00.css",
            "/assets/",
            "/assets",
            "/%2e%2e/%2e%2e/etc/passwd")) {
      String answer =
          wall.raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      assertThat(answer).as(path).containsPattern("^HTTP/1.1 40[04]");
    }
  }
}
