// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels;

import java.io.Serializable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What computes: {@code cpu}, {@code cuda}, {@code cuda:1} for one of several, or {@code auto},
 * which {@link Backends#choose} decides where it runs.
 *
 * @param backend name of a {@link BackendProvider}, or {@code auto}
 * @param index which of the machine's devices of that kind, from 0
 */
public record DeviceName(String backend, int index) implements Serializable {
  public static final DeviceName CPU = new DeviceName("cpu", 0);

  private static final String AUTO = "auto";
  private static final Pattern FORM = Pattern.compile("([a-z][a-z0-9-]*)(?::(\\d{1,3}))?");

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException when it has another form; whether there is such a device is
   *     found out when it is opened
   */
  public static DeviceName parse(String text) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException("expected a device: cpu, cuda, cuda:1 or auto");
    }
    String backend = matcher.group(1);
    if (matcher.group(2) == null) {
      return new DeviceName(backend, 0);
    }
    if (backend.equals(AUTO) || backend.equals(CPU.backend)) {
      throw new IllegalArgumentException(
          "expected '%s' without a number: there is one only".formatted(backend));
    }
    return new DeviceName(backend, Integer.parseInt(matcher.group(2)));
  }

  /** Whether the machine is to choose. */
  boolean isAuto() {
    return backend.equals(AUTO);
  }

  /** As {@link #parse} reads it; the first device has no number. */
  @Override
  public String toString() {
    return index == 0 ? backend : backend + ":" + index;
  }
}
