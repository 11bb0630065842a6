// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** One page of a {@link Chromium}: what it shows, and a hand and keys for it. */
final class Tab implements AutoCloseable {
  private static final int WEBP_QUALITY = 90;
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Integer> KEYS =
      Map.of(
          "Enter",
          13,
          "Escape",
          27,
          "ArrowLeft",
          37,
          "ArrowUp",
          38,
          "ArrowRight",
          39,
          "ArrowDown",
          40,
          "Tab",
          9,
          "Home",
          36,
          "End",
          35);

  private final Chromium browser;
  private final String target;
  private final String session;

  /** What the console has said as an error or a warning, uncaught exceptions, and failed loads. */
  final List<String> complaints = new CopyOnWriteArrayList<>();

  Tab(Chromium browser, String target, String session, int width, int height) throws Exception {
    this.browser = browser;
    this.target = target;
    this.session = session;
    browser.listen(session, this::heard);
    for (String domain : List.of("Page", "Runtime", "Log")) {
      send(domain + ".enable", JSON.createObjectNode());
    }
    size(width, height);
  }

  private void heard(String method, JsonNode event) {
    switch (method) {
      case "Runtime.consoleAPICalled" -> {
        String type = event.path("type").asText();
        if (type.equals("error") || type.equals("warning")) {
          complaints.add(type + ": " + event.path("args"));
        }
      }
      case "Runtime.exceptionThrown" ->
          complaints.add("exception: " + event.path("exceptionDetails"));
      case "Log.entryAdded" -> {
        JsonNode entry = event.path("entry");
        if (!entry.path("level").asText().equals("verbose")) {
          complaints.add(entry.path("text").asText() + " " + entry.path("url").asText());
        }
      }
      default -> {}
    }
  }

  JsonNode send(String method, ObjectNode parameters) throws Exception {
    return browser.send(session, method, parameters);
  }

  Tab size(int width, int height) throws Exception {
    ObjectNode metrics = JSON.createObjectNode().put("width", width).put("height", height);
    send(
        "Emulation.setDeviceMetricsOverride",
        metrics.put("deviceScaleFactor", 1).put("mobile", false));
    return this;
  }

  /** Asks for dark or light pages, as the system of a user does; motion is never reduced. */
  Tab dark(boolean dark) throws Exception {
    ObjectNode media = JSON.createObjectNode().put("media", "");
    media
        .putArray("features")
        .addObject()
        .put("name", "prefers-color-scheme")
        .put("value", dark ? "dark" : "light");
    send("Emulation.setEmulatedMedia", media);
    return this;
  }

  /** Runs before every page's own scripts. */
  Tab beforeEachPage(String script) throws Exception {
    send("Page.addScriptToEvaluateOnNewDocument", JSON.createObjectNode().put("source", script));
    return this;
  }

  Tab go(String address) throws Exception {
    send("Page.navigate", JSON.createObjectNode().put("url", address));
    await(
        "location.href === " + quoted(address) + " && document.readyState === 'complete'",
        "is loaded");
    return this;
  }

  /** The value of an expression, or of the promise that it is. */
  JsonNode evaluate(String expression) throws Exception {
    ObjectNode asked = JSON.createObjectNode().put("expression", expression);
    JsonNode answer =
        send("Runtime.evaluate", asked.put("awaitPromise", true).put("returnByValue", true));
    if (answer.has("exceptionDetails")) {
      throw new AssertionError(expression + " threw " + answer.path("exceptionDetails"));
    }
    return answer.path("result").path("value");
  }

  String text(String selector) throws Exception {
    return evaluate("document.querySelector(%s)?.textContent ?? ''".formatted(quoted(selector)))
        .asText();
  }

  int count(String selector) throws Exception {
    return evaluate("document.querySelectorAll(%s).length".formatted(quoted(selector))).asInt();
  }

  /** Waits until a condition holds; a page that is between two documents is asked again. */
  void await(String condition, String message) throws Exception {
    await(condition, message, LIMIT);
  }

  void await(String condition, String message, Duration limit) throws Exception {
    long end = System.nanoTime() + limit.toNanos();
    AssertionError failure = null;
    while (System.nanoTime() - end < 0) {
      try {
        failure = null;
        if (evaluate("Boolean(" + condition + ")").asBoolean()) {
          return;
        }
      } catch (AssertionError e) {
        failure = e;
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
    throw new AssertionError(
        "within %s not true: %s (%s); the page says: %s; complaints: %s"
            .formatted(
                limit,
                message,
                condition,
                evaluate("document.body.innerText.slice(0, 2000)").asText(),
                complaints),
        failure);
  }

  void click(String selector) throws Exception {
    JsonNode at =
        evaluate(
            """
            (() => {
              const element = document.querySelector(%s);
              element.scrollIntoView({block: 'center'});
              const box = element.getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            })()
            """
                .formatted(quoted(selector)));
    for (String type : List.of("mouseMoved", "mousePressed", "mouseReleased")) {
      ObjectNode event = JSON.createObjectNode().put("type", type);
      event.put("x", at.path(0).asDouble()).put("y", at.path(1).asDouble());
      event.put("button", type.equals("mouseMoved") ? "none" : "left").put("clickCount", 1);
      send("Input.dispatchMouseEvent", event);
    }
  }

  void press(String key) throws Exception {
    ObjectNode down = JSON.createObjectNode().put("type", "keyDown").put("key", key);
    if (KEYS.containsKey(key)) {
      down.put("windowsVirtualKeyCode", KEYS.get(key)).put("code", key);
      if (key.equals("Enter")) {
        down.put("text", "\r");
      }
    } else {
      down.put("text", key);
    }
    send("Input.dispatchKeyEvent", down);
    ObjectNode up = JSON.createObjectNode().put("type", "keyUp").put("key", key);
    send("Input.dispatchKeyEvent", up);
  }

  void type(String text) throws Exception {
    send("Input.insertText", JSON.createObjectNode().put("text", text));
  }

  /** What is seen of the page, in the format of the file's ending: png or webp. */
  void screenshot(Path file) throws Exception {
    String name = file.toString();
    ObjectNode format = JSON.createObjectNode();
    format.put("format", name.substring(name.lastIndexOf('.') + 1));
    if (name.endsWith(".webp")) {
      format.put("quality", WEBP_QUALITY);
    }
    String data = send("Page.captureScreenshot", format).path("data").asText();
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, Base64.getDecoder().decode(data));
  }

  /**
   * The browser's counters of this page: seconds of the main thread, by what they were spent on.
   */
  Map<String, Double> metrics() throws Exception {
    Map<String, Double> metrics = new HashMap<>();
    for (JsonNode metric :
        send("Performance.getMetrics", JSON.createObjectNode()).path("metrics")) {
      metrics.put(metric.path("name").asText(), metric.path("value").asDouble());
    }
    return metrics;
  }

  /**
   * Hides the window and puts the page to sleep, as browsers do with what nobody sees; or wakes it.
   */
  void asleep(boolean asleep) throws Exception {
    ObjectNode state = JSON.createObjectNode().put("state", asleep ? "frozen" : "active");
    if (!asleep) {
      send("Page.setWebLifecycleState", state);
    }
    ObjectNode of = JSON.createObjectNode().put("targetId", target);
    int window = browser.send("", "Browser.getWindowForTarget", of).path("windowId").asInt();
    ObjectNode bounds = JSON.createObjectNode().put("windowId", window);
    bounds.putObject("bounds").put("windowState", asleep ? "minimized" : "normal");
    browser.send("", "Browser.setWindowBounds", bounds);
    if (asleep) {
      await("document.visibilityState === 'hidden'", "is hidden");
      send("Page.setWebLifecycleState", state);
    } else {
      await("document.visibilityState === 'visible'", "is seen");
    }
  }

  static String quoted(String text) {
    return JSON.valueToTree(text).toString();
  }

  @Override
  public void close() throws Exception {
    browser.send("", "Target.closeTarget", JSON.createObjectNode().put("targetId", target));
  }
}
