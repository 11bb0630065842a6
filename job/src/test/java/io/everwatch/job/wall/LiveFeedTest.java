// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.wall;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LiveFeedTest {
  private final LiveFeed feed = new LiveFeed(2);

  private static final class Page implements LiveFeed.Listener {
    private final StringBuilder got = new StringBuilder();

    @Override
    public void send(byte[] bytes) {
      got.append(new String(bytes, StandardCharsets.UTF_8));
    }

    private List<String> all(String field) {
      List<String> values = new ArrayList<>();
      Pattern.compile("^" + field + ": (.*)$", Pattern.MULTILINE)
          .matcher(got)
          .results()
          .forEach(match -> values.add(match.group(1)));
      return values;
    }
  }

  private Page join(@Nullable String last) {
    Page page = new Page();
    boolean joined =
        feed.join(
            page, Optional.ofNullable(last), () -> List.of(new LiveFeed.Named("hello", "{}")));
    assertThat(joined).isTrue();
    return page;
  }

  private void publish(int from, int to) {
    for (int i = from; i <= to; i++) {
      feed.publish(new LiveFeed.Named("texts", String.valueOf(i)));
    }
  }

  @Test
  void aPageThatComesBackGetsWhatItMissedAndNothingTwice() {
    Page first = join(null);
    publish(1, 3);
    assertThat(first.all("data")).containsExactly("{}", "1", "2", "3");
    String had = first.all("id").get(2);
    feed.leave(first);

    Page again = join(had);
    publish(4, 4);

    assertThat(again.all("data")).containsExactly("3", "4");
  }

  @Test
  void aPageThatSleptTooLongOrKnewAnotherFeedGetsEverything() {
    Page first = join(null);
    publish(1, 1);
    String had = first.all("id").get(1);
    publish(2, 2_000);
    feed.leave(first);

    assertThat(join(had).all("event")).containsExactly("hello");
    feed.leave(first);
    assertThat(new LiveFeed(1).instance()).isNotEqualTo(feed.instance());
  }

  @Test
  void numbersThatAreNoneAreNotBelieved() {
    publish(1, 3);
    for (String last : List.of("", "-", "x-1", feed.instance() + "-x", feed.instance() + "-99")) {
      Page page = join(last);
      assertThat(page.all("event")).as("'%s'", last).containsExactly("hello");
      feed.leave(page);
    }
  }

  @Test
  void takesNoMorePagesThanItMay() {
    join(null);
    Page second = join(null);

    assertThat(feed.join(new Page(), Optional.empty(), List::of)).isFalse();
    feed.leave(second);
    assertThat(feed.join(new Page(), Optional.empty(), List::of)).isTrue();
  }

  @Test
  void beginningAgainChangesTheInstance() {
    Page page = join(null);
    publish(1, 1);
    String had = page.all("id").get(1);
    String before = feed.instance();

    feed.beginAgain(() -> List.of(new LiveFeed.Named("hello", "new")));

    assertThat(feed.instance()).isNotEqualTo(before);
    assertThat(page.all("data")).endsWith("new");
    feed.leave(page);
    assertThat(join(had).all("event")).containsExactly("hello");
  }
}
