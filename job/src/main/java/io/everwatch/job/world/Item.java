// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import java.util.Locale;

/** What a person may carry. */
public enum Item {
  NOTHING,
  BAG,
  PARCEL;

  /** As it is said. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
