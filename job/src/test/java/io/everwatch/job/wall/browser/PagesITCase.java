// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What holds for every page, in each look: it can be used by all, stands still, and is in order.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PagesITCase {
  /** Sums what moved though nobody touched the page; 0.1 is what the web calls good. */
  private static final String SHIFTS =
      """
      window.shifts = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
      """;

  private static final double MAX_SHIFTS = 0.02;

  private Chromium browser;
  private FakeWall wall;
  private String axe;

  @BeforeAll
  void open() throws Exception {
    browser = Chromium.start();
    wall = FakeWall.start(0, 12, true);
    try (InputStream in = getClass().getResourceAsStream("/axe.min.js")) {
      axe = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @AfterAll
  void close() throws Exception {
    if (browser != null) {
      browser.close();
      wall.close();
    }
  }

  @ParameterizedTest
  @EnumSource(Look.class)
  void isAccessibleAndStandsStillAndComplainsOfNothing(Look look) throws Exception {
    List<String> problems = new ArrayList<>();
    try (Tab tab = look.open(browser).beforeEachPage(SHIFTS)) {
      for (WallPage page : WallPage.values()) {
        page.open(tab, wall.address());
        double shifts = tab.evaluate("window.shifts").asDouble();
        if (shifts > MAX_SHIFTS) {
          problems.add("%s moved by %.3f, allowed is %.3f".formatted(page, shifts, MAX_SHIFTS));
        }
        int over = tab.evaluate("document.documentElement.scrollWidth - innerWidth").asInt();
        if (over > 0) {
          problems.add("%s is %d px wider than the window".formatted(page, over));
        }
        violations(tab).forEach(violation -> problems.add(page + ": " + violation));
        // The fake has no video behind its clip.
        tab.complaints.removeIf(complaint -> complaint.contains(".mp4"));
        tab.complaints.forEach(complaint -> problems.add(page + ": " + complaint));
        tab.complaints.clear();
      }
    }

    assertThat(problems).isEmpty();
  }

  private List<String> violations(Tab tab) throws Exception {
    tab.evaluate(axe + "; true");
    JsonNode found =
        tab.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations"
                + ".map(({id, help, nodes}) => [id, help, ...nodes.map((node) => node.html + ' '"
                + " + node.failureSummary)].join(' | ')))");
    List<String> violations = new ArrayList<>();
    found.forEach(violation -> violations.add(violation.asText()));
    return violations;
  }
}
