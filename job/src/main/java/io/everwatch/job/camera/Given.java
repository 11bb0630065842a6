// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import java.util.List;

/**
 * A setting as somebody wrote it.
 *
 * @param texts one, or the entries of a list
 * @param where for messages, such as {@code --fps} or {@code cameras.yaml, line 7: fps}
 */
public record Given(List<String> texts, String where) {
  public static Given of(String text, String where) {
    return new Given(List.of(text), where);
  }

  /** May hold a password. */
  @Override
  public String toString() {
    return where;
  }
}
