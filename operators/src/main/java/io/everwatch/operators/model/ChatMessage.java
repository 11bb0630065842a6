// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.util.List;

/**
 * One message of a chat (Qwen2.5-VL §5).
 *
 * @param role any name without chat markers; {@code system}, {@code user}, {@code assistant},
 *     {@code previous text}
 */
public record ChatMessage(String role, List<Part> content) {
  public ChatMessage {
    content = List.copyOf(content);
  }

  /** A message of text alone. */
  public static ChatMessage of(String role, String text) {
    return new ChatMessage(role, List.of(Part.text(text)));
  }

  /**
   * Text, or the place of a picture or clip.
   *
   * @param text empty unless TEXT; may come from outside, its chat markers are ordinary text
   * @param pads vision tokens of the picture or clip: {@code t * h * w / 4} of its grid
   */
  public record Part(Kind kind, String text, int pads) {
    /** What a part is. */
    public enum Kind {
      TEXT,
      PICTURE,
      CLIP
    }

    public Part {
      if (kind != Kind.TEXT && pads < 1) {
        throw new IllegalArgumentException(
            "a %s of %d vision tokens; expected at least one".formatted(kind, pads));
      }
    }

    public static Part text(String text) {
      return new Part(Kind.TEXT, text, 0);
    }

    public static Part picture(int pads) {
      return new Part(Kind.PICTURE, "", pads);
    }

    public static Part clip(int pads) {
      return new Part(Kind.CLIP, "", pads);
    }
  }
}
