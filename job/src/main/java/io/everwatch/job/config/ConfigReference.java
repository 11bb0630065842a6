// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.config;

import java.util.stream.Collectors;

/** The text of {@code docs/configuration.md}, from the table of keys. */
public final class ConfigReference {
  private ConfigReference() {}

  public static String markdown() {
    String rows =
        ConfigKeys.all().stream()
            .map(
                key ->
                    "| `%s` | %s | %s | %s |"
                        .formatted(
                            key.name(),
                            key.type(),
                            key.defaultText().isEmpty() ? "" : "`" + key.defaultText() + "`",
                            key.description()))
            .collect(Collectors.joining("\n"));
    return """
        # Configuration

        Printed by `everwatch run --print-config-reference`; the table is `ConfigKeys`.

        A job reads a YAML file (`--config FILE`; keys nested or dotted) and `--key value` on the
        command line, which wins. An unknown key is an error. `run` prints what was resolved, and
        from where.

        | key | type | default | meaning |
        | --- | --- | --- | --- |
        %s
        | `streaming.*` | text | | Overrides a setting of the model, such as `streaming.textWindow`; `doctor` lists them. |
        | `kafka.*` | text | | Property of Kafka's clients, such as `kafka.security.protocol`; secrets are never shown. |

        Durations: `500 ms`, `10 s`, `2 min`, `1 h`. Sizes: `4096`, `512 KiB`, `8 MiB`, `2 GiB`.
        """
        .formatted(rows);
  }
}
