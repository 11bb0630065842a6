// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.world;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.everwatch.job.world.View.Light;
import io.everwatch.job.world.View.Occluder;
import io.everwatch.job.world.WorldScene.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cameras of the training recipe's golden file: the same words and the same bytes. */
class GoldenWorldTest {
  private static final Path GOLDEN = Path.of("../training/tests/golden/world.txt");
  private static final int SECONDS = 60;

  static Stream<String> cameras() throws IOException {
    return Files.readAllLines(GOLDEN).stream();
  }

  @ParameterizedTest
  @MethodSource("cameras")
  void cameraSaysAndShowsWhatTheTrainingWorldDoes(String line) throws NoSuchAlgorithmException {
    Map<String, String> golden =
        Arrays.stream(line.split(" "))
            .map(setting -> setting.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    View view = view(golden);
    if (setting(golden, "view").matches("\\d+")) {
      assertThat(View.ofSeed(Long.parseLong(setting(golden, "view")))).isEqualTo(view);
    }
    WorldCamera camera =
        new WorldCamera(
            new WorldScene(
                Place.valueOf(setting(golden, "scene").toUpperCase(Locale.ROOT)),
                Long.parseLong(setting(golden, "seed")),
                Double.parseDouble(setting(golden, "density")),
                Optional.empty(),
                view));
    MessageDigest text = MessageDigest.getInstance("SHA-256");
    MessageDigest pixels = MessageDigest.getInstance("SHA-256");
    text.update(camera.instruction().getBytes(UTF_8));
    for (int t = 0; t < SECONDS; t++) {
      Second second = camera.step();
      text.update(says(second).getBytes(UTF_8));
      camera.render(second).forEach(pixels::update);
    }
    assertThat(digits(text)).isEqualTo(setting(golden, "text"));
    assertThat(digits(pixels)).isEqualTo(setting(golden, "pixels"));
  }

  private static String setting(Map<String, String> golden, String key) {
    return Objects.requireNonNull(golden.get(key), key);
  }

  private static View view(Map<String, String> golden) {
    return new View(
        Integer.parseInt(setting(golden, "width")),
        Integer.parseInt(setting(golden, "height")),
        Integer.parseInt(setting(golden, "fps")),
        Light.valueOf(setting(golden, "light").toUpperCase(Locale.ROOT)),
        Occluder.valueOf(setting(golden, "occluder").toUpperCase(Locale.ROOT)),
        Integer.parseInt(setting(golden, "shake")),
        Integer.parseInt(setting(golden, "noise")),
        Integer.parseInt(setting(golden, "flicker")));
  }

  /** As in {@code training/tests/world_golden.py}. */
  private static String says(Second second) {
    StringBuilder text = new StringBuilder();
    text.append(second.index()).append(':').append(second.sentence()).append('\n');
    for (Due due : second.due()) {
      text.append(
          "%s|%d|%d|%s\n".formatted(due.what().word(), due.start(), due.end(), told(due.told())));
    }
    text.append(second.caption()).append('\n');
    for (Question question : second.questions()) {
      text.append(
          "%s|%s|%s|%s\n"
              .formatted(
                  question.text(),
                  question.answer(),
                  question.source().name().toLowerCase(Locale.ROOT),
                  told(question.told())));
    }
    return text.toString();
  }

  private static String told(OptionalLong second) {
    return second.isPresent() ? Long.toString(second.getAsLong()) : "-";
  }

  private static String digits(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest()).substring(0, 32);
  }
}
