// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.wall.browser.FakeWall.Answer;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What the pages do, and what they say when something is missing. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BehaviourITCase {
  private static final String LIVE =
      "document.querySelector('#connection').dataset.status === 'live'";
  private static final String MARKUP = "/streams/gate%20%3Cb%3E4%3C%2Fb%3E";

  private Chromium browser;

  @BeforeAll
  void open() throws Exception {
    browser = Chromium.start();
  }

  @AfterAll
  void close() throws Exception {
    if (browser != null) {
      browser.close();
    }
  }

  @Test
  void showsMarkupAsText() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 4, true);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/");
      tab.await("document.body.innerText.includes('<script>')", "the tile says markup");
      assertThat(tab.count(".tile b, img[src=x], main script")).isZero();

      tab.go(wall.address() + MARKUP);
      tab.await("document.body.innerText.includes('<script>')", "the line says markup");
      assertThat(tab.text("h1")).isEqualTo("gate <b>4</b>");
      tab.press("/");
      tab.type("onerror");
      tab.await("document.querySelectorAll('.results mark').length > 0", "results are marked");
      assertThat(tab.count("img[src=x], main script, main b")).isZero();
      assertThat(tab.evaluate("document.title").asText()).isNotEqualTo("owned");
      assertThat(tab.complaints).isEmpty();
    }
  }

  @Test
  void showsHowEachStreamFares() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 12, true);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/");
      tab.await("document.querySelectorAll('.tile').length === 12", "twelve tiles");

      assertThat(tab.text("[data-id='camera-5']")).contains("No frames for");
      assertThat(tab.text("[data-id='camera-6']")).contains("no text for");
      assertThat(tab.text("[data-id='camera-7']")).contains("Stopped by command");
      assertThat(tab.text("[data-id='camera-8']")).contains("Ended");
      assertThat(tab.text("[data-id='camera-1'] .committed")).contains("committed");
    }
  }

  @Test
  void findsASentenceAndJumpsToItsMoment() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 2, false);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/streams/camera-1");
      tab.await("document.querySelector('.stage-frame img')", "a frame is shown");
      tab.press("/");
      tab.type("light red");
      tab.await("document.querySelectorAll('.results .line').length > 1", "there are results");
      assertThat(
              tab.evaluate(
                      "[...document.querySelectorAll('.results .line')].every((line) =>"
                          + " [...line.querySelectorAll('mark')].map((mark) => mark.textContent).join()"
                          + " === 'light,red')")
                  .asBoolean())
          .isTrue();

      tab.click(".results .line:nth-child(2) button");

      tab.await(
          "document.querySelector('.stage-frame img')?.src.includes('/frames/')", "its frame");
      String time = tab.text(".results .line:nth-child(2) time");
      assertThat(tab.text(".stage-time")).isEqualTo(time);
      assertThat(tab.text(".stage-text")).isEqualTo("The light turns red.");
      assertThat(tab.count(".live-button:not([hidden])")).isOne();

      tab.click(".live-button");
      tab.await("document.querySelector('.stage-frame img')?.src.includes('frame?v=')", "is live");
    }
  }

  @Test
  void isUsedWithKeysAlone() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 12, false);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/");
      tab.await("document.querySelectorAll('.tile').length === 12", "twelve tiles");
      tab.press("ArrowRight");
      tab.press("ArrowRight");
      assertThat(tab.evaluate("document.activeElement.textContent").asText()).isEqualTo("camera-2");
      tab.press("Enter");
      tab.await("location.pathname === '/streams/camera-2'", "the stream is open");
      tab.await("document.querySelector('.stage-frame img')", "its frame is shown");

      tab.press("ArrowLeft");
      tab.press("ArrowLeft");
      tab.await("document.querySelector('.stage-frame img')?.src.includes('/frames/')", "the past");
      tab.press("l");
      tab.await("document.querySelector('.live-button').hidden", "live again");
      tab.press("m");
      tab.await("document.querySelector('.band')", "the memory");
      tab.press("Escape");
      tab.press("Escape");
      tab.await("location.pathname === '/'", "the wall again");
      tab.press("/");
      tab.type("camera-7");
      tab.await("document.querySelectorAll('.tile').length === 1", "filtered");
      tab.press("Escape");
      tab.await("document.querySelectorAll('.tile').length === 12", "all again");
      assertThat(tab.complaints).isEmpty();
    }
  }

  @Test
  void catchesUpAfterASleepWithoutLivingThroughIt() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 12, false);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/streams/camera-1");
      tab.await("document.querySelector('.stage-frame img')", "a frame is shown");
      String before = tab.text(".stage-time");
      tab.asleep(true);
      wall.skip(Duration.ofMinutes(40));
      int frames = wall.requests("frames");
      tab.asleep(false);

      tab.await("document.querySelector('.stage-time').textContent.startsWith('12:4')", "is now");
      tab.await("document.querySelectorAll('.thumb img').length > 3", "the timeline is of now");
      assertThat(before).startsWith("12:0");
      assertThat(tab.count(".line")).isLessThanOrEqualTo(300);
      // The large one and the strip's, not one for each second of the sleep.
      assertThat(wall.requests("frames") - frames).isLessThan(60);
    }
  }

  @Test
  void goesOnWithAServerThatWasRestarted() throws Exception {
    FakeWall first = FakeWall.start(0, 4, false);
    try (Tab tab = Look.LIGHT.open(browser)) {
      tab.go(first.address() + "/");
      tab.await("document.querySelectorAll('.tile img').length === 4", "tiles with pictures");
      tab.evaluate("window.sameDocument = true");
      first.close();
      tab.await(
          "document.querySelector('#connection').textContent.includes('Server away')",
          "says that the server is away");
      assertThat(tab.count(".tile img")).isEqualTo(4);

      try (FakeWall second = FakeWall.start(first.port(), 5, false)) {
        tab.await(LIVE, "is connected again");
        tab.await("document.querySelectorAll('.tile img').length === 5", "what the new one has");
        assertThat(tab.evaluate("window.sameDocument").asBoolean()).isTrue();
      }
    } finally {
      first.close();
    }
  }

  @Test
  void saysWhatToDoWithoutStreams() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 0, false);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/");
      tab.await("document.querySelector('.state h1')?.textContent === 'No streams yet'", "says so");
      assertThat(tab.text(".state")).contains("./everwatch camera --input");
      tab.go(wall.address() + "/streams/nobody");
      tab.await("document.body.innerText.includes('No stream is called nobody')", "says so");
    }
  }

  @Test
  void saysThatOneIsNotSignedIn() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 4, false);
        Tab tab = Look.LIGHT.open(browser)) {
      wall.refusal = uri -> Answer.error(401, "This wall asks for a token.", "Open /login?token=…");
      tab.go(wall.address() + "/");
      tab.await(
          "document.querySelector('.state')?.textContent.includes('not signed in')", "says so");
      assertThat(tab.text(".state")).contains("This wall asks for a token.", "/login?token=");
    }
  }

  @Test
  void saysThatTheBrokerIsAwayAndThatItIsBack() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 2, false);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/");
      tab.await(LIVE, "is connected");
      wall.broker(false);
      tab.await(
          "document.querySelector('#connection').textContent.startsWith('Broker away')", "says so");
      wall.broker(true);
      tab.await(LIVE, "is well again");
    }
  }

  @Test
  void saysThatNothingWasFoundAndThatAFrameIsGone() throws Exception {
    try (FakeWall wall = FakeWall.start(0, 2, false);
        Tab tab = Look.LIGHT.open(browser)) {
      tab.go(wall.address() + "/streams/camera-1");
      tab.await("document.querySelector('.stage-frame img')", "a frame is shown");
      tab.press("/");
      tab.type("zeppelin");
      tab.await(
          "document.querySelector('.search-summary').textContent.includes('Nothing with')",
          "says so");
      tab.press("Escape");
      tab.await(
          "document.querySelectorAll('.lines:not([hidden]) .line').length > 20", "lines again");

      tab.click("[aria-label='What was said, newest first'] .line:last-child button");

      tab.await("!document.querySelector('.stage-missing').hidden", "the frame is not kept");
      assertThat(tab.text(".stage-missing")).contains("not kept any more");
    }
  }
}
