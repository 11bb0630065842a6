// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.evaluation;

import io.everwatch.job.world.Words;
import io.everwatch.job.world.WorldScene.Place;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The sentences of {@code job.world} and what of them only memory tells. */
enum WorldGrammar implements SceneGrammar {
  ROAD,
  DOOR;

  static WorldGrammar of(Place place) {
    return switch (place) {
      case ROAD -> ROAD;
      case DOOR -> DOOR;
    };
  }

  @Override
  public String seen(String sentence) {
    return Words.bare(sentence);
  }

  @Override
  public List<RecalledFact> facts() {
    return switch (this) {
      case ROAD -> List.of(WorldFact.NUMBER, WorldFact.AFTER);
      case DOOR -> List.of(WorldFact.NUMBER, WorldFact.INSIDE);
    };
  }

  /** What the scenes recall. */
  private enum WorldFact implements RecalledFact {
    /** The running count of what the instruction names; goes in rounds. */
    NUMBER(" number (\\w+)", " enters | goes in| comes out") {
      @Override
      public String next(Optional<String> base, String sentence) {
        int last = base.flatMap(this::said).map(Words::valueOf).orElse(0);
        return Words.number(Math.max(0, last) % Words.ROUND + 1);
      }
    },
    /** The colour of the counted vehicle before, which the first has not. */
    AFTER(" after a (\\w+) one", " enters ") {
      private final Pattern entry = Pattern.compile("A (\\w+) \\w+ number ");

      @Override
      public boolean isBase(String sentence) {
        return entry.matcher(sentence).find();
      }

      @Override
      public String next(Optional<String> base, String sentence) {
        Matcher before = entry.matcher(base.orElse(""));
        return before.find() ? before.group(1) : "";
      }
    },
    /** How many people are inside; nobody was at the beginning. */
    INSIDE(", (\\w+) inside", " goes in| comes out") {
      @Override
      public String next(Optional<String> base, String sentence) {
        int last = base.flatMap(this::said).map(Words::valueOf).orElse(0);
        int now = last + (sentence.contains(" comes out") ? -1 : 1);
        return now < 0 || now > Words.ROUND ? "" : Words.number(now);
      }
    };

    private final Pattern part;
    private final Pattern sort;

    WorldFact(String part, String sort) {
      this.part = Pattern.compile(part);
      this.sort = Pattern.compile(sort);
    }

    @Override
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public Optional<String> said(String sentence) {
      Matcher found = part.matcher(sentence);
      return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }

    @Override
    public boolean possible(String sentence) {
      return sort.matcher(sentence).find();
    }
  }
}
