// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

/**
 * A resolved setting, as {@code run} prints it.
 *
 * @param value secrets masked
 * @param origin {@code default}, the file's name, or {@code command line}
 */
public record Setting(String key, String value, String origin) {
  @Override
  public String toString() {
    return "%-26s %-32s (%s)".formatted(key, value, origin);
  }
}
