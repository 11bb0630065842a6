// SPDX-License-Identifier: Apache-2.0
package io.everwatch.job.camera;

import io.everwatch.job.camera.LiveOptions.CameraTime;
import io.everwatch.job.camera.LiveOptions.Transport;
import io.everwatch.job.config.Parsers;
import io.everwatch.operators.model.EncodedFrame.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What can be said of one camera, on the command line and in a file alike; collects every problem
 * instead of ending at the first.
 */
public final class CameraKeys {
  /** Of whatever is played. */
  private static final List<String> PLAYED =
      List.of("stream", "input", "fps", "encoding", "max-size", "quality", "masks", "duration");

  /** Of live cameras alone. */
  private static final List<String> LIVE =
      List.of(
          "time",
          "rtsp-transport",
          "open-timeout",
          "frame-timeout",
          "retry-first",
          "retry-longest",
          "attempts",
          "queue",
          "tls-ca",
          "user",
          "password",
          "password-file");

  /** All names. */
  static final List<String> ALL = Stream.concat(PLAYED.stream(), LIVE.stream()).toList();

  private static final Duration LONGEST = Duration.ofDays(7);
  private static final PictureSize LIVE_SIZE = new PictureSize(1280, 720);

  private final Map<String, Given> own;
  private final Map<String, Given> defaults;
  private final String where;
  private final List<String> problems;

  private CameraKeys(
      Map<String, Given> own, Map<String, Given> defaults, String where, List<String> problems) {
    this.own = own;
    this.defaults = defaults;
    this.where = where;
    this.problems = problems;
  }

  /**
   * Reads one camera.
   *
   * @param defaults for what it does not say itself
   * @param where it stands, for messages; empty on the command line
   * @param problems are added to; credentials are not shown
   * @return empty when there are problems
   */
  public static Optional<CameraSettings> read(
      Map<String, Given> own, Map<String, Given> defaults, String where, List<String> problems) {
    int before = problems.size();
    CameraSettings settings = new CameraKeys(own, defaults, where, problems).settings();
    return problems.size() == before ? Optional.of(settings) : Optional.empty();
  }

  private CameraSettings settings() {
    String stream = required("stream");
    String input = required("input");
    Optional<CameraAddress> address = address(input);
    boolean live = CameraAddress.isLive(input);
    if (!live) {
      own.keySet().stream()
          .filter(LIVE::contains)
          .sorted()
          .forEach(
              key -> problem(key, "it is for live cameras, and %s is played".formatted(input)));
    }
    PictureOptions pictures =
        new PictureOptions(
            masks(),
            pictureDefaults(live, input)
                ? value("max-size", PictureSize::parse)
                    .or(() -> live ? Optional.of(LIVE_SIZE) : Optional.empty())
                : Optional.empty(),
            pictureDefaults(live, input)
                ? value("quality", number(1, 100)).orElse(PictureOptions.QUALITY)
                : PictureOptions.QUALITY);
    return new CameraSettings(
        stream,
        address.map(CameraAddress::toString).orElse(input),
        address,
        value("fps", CameraKeys::fps).map(OptionalDouble::of).orElse(OptionalDouble.empty()),
        value("encoding", CameraKeys::encoding),
        pictures,
        liveOptions(address),
        value("duration", CameraKeys::duration));
  }

  /** Defaults for cameras are not meant for scenes and folders, whose pictures stay as they are. */
  private boolean pictureDefaults(boolean live, String input) {
    return live
        || own.containsKey("max-size")
        || own.containsKey("quality")
        || !(input.startsWith(CameraInput.SCENE) || Files.isDirectory(Path.of(input)));
  }

  private LiveOptions liveOptions(Optional<CameraAddress> address) {
    LiveOptions usual = LiveOptions.DEFAULTS;
    CameraTime time =
        value("time", text -> Parsers.oneOf(CameraTime.class).apply(text)).orElse(usual.time());
    boolean clock = address.map(it -> it.kind().hasTimeStamps()).orElse(true);
    if (time == CameraTime.CAMERA && !clock) {
      problem("time", "%s carries no time stamps; expected arrival".formatted(address.get()));
    }
    Duration first = value("retry-first", CameraKeys::duration).orElse(usual.retryFirst());
    Duration longest = value("retry-longest", CameraKeys::duration).orElse(usual.retryLongest());
    if (longest.compareTo(first) < 0) {
      problem(
          own.containsKey("retry-longest") ? "retry-longest" : "retry-first",
          "the first wait (%s) is longer than the longest (%s)"
              .formatted(MediaPolicy.seconds(first), MediaPolicy.seconds(longest)));
    }
    return new LiveOptions(
        value("rtsp-transport", text -> Parsers.oneOf(Transport.class).apply(text))
            .orElse(usual.transport()),
        time,
        value("open-timeout", CameraKeys::duration).orElse(usual.openLimit()),
        value("frame-timeout", CameraKeys::duration).orElse(usual.frameLimit()),
        first,
        longest,
        value("attempts", number(0, 1_000_000)).map(OptionalInt::of).orElse(OptionalInt.empty()),
        value("queue", number(1, 10_000)).orElse(usual.queueFrames()),
        authorities(address));
  }

  /**
   * Of an encrypted camera those of the system, unless it is said; of others it does not matter.
   */
  private Optional<Path> authorities(Optional<CameraAddress> address) {
    Given given = given("tls-ca");
    if (given != null) {
      return value("tls-ca", TlsAuthorities::parse).flatMap(file -> file);
    }
    return address.filter(CameraAddress::encrypted).isPresent()
        ? parse(
                Given.of(TlsAuthorities.SYSTEM, place("tls-ca")),
                TlsAuthorities.SYSTEM,
                TlsAuthorities::parse)
            .flatMap(file -> file)
        : Optional.empty();
  }

  private Optional<CameraAddress> address(String input) {
    if (!CameraAddress.isLive(input)) {
      return Optional.empty();
    }
    try {
      CameraAddress address = CameraAddress.parse(input);
      Optional<String> user = value("user", text -> text);
      Optional<String> password =
          value("password", text -> text).or(() -> value("password-file", CameraKeys::firstLine));
      if (given("password") != null && given("password-file") != null) {
        problem("password", "password-file is given as well; give one of them");
      }
      if (user.isPresent() != password.isPresent()) {
        problem(user.isPresent() ? "user" : "password", "user and password belong together");
        return Optional.of(address);
      }
      return Optional.of(
          user.isPresent() ? address.withCredentials(user.get(), password.orElseThrow()) : address);
    } catch (IllegalArgumentException e) {
      problem("input", String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private List<Mask> masks() {
    Given given = given("masks");
    if (given == null) {
      return List.of();
    }
    return given.texts().stream()
        .flatMap(text -> parse(given, text, Mask::parse).stream())
        .toList();
  }

  private String required(String key) {
    String text = value(key, it -> it).orElse("");
    if (text.isBlank()) {
      problems.add(
          given(key) == null
              ? "%s%s is missing".formatted(where.isEmpty() ? "" : where + ": ", key)
              : "%s is blank; give a name, such as door".formatted(place(key)));
    }
    return text;
  }

  private <T> Optional<T> value(String key, Function<String, T> parser) {
    Given given = given(key);
    if (given == null) {
      return Optional.empty();
    }
    if (given.texts().size() != 1) {
      problem(key, "expected one value, not a list");
      return Optional.empty();
    }
    return parse(given, given.texts().get(0), parser);
  }

  private <T> Optional<T> parse(Given given, String text, Function<String, T> parser) {
    try {
      return Optional.of(parser.apply(text));
    } catch (IllegalArgumentException e) {
      problems.add(
          "%s '%s': %s".formatted(given.where(), Redaction.addresses(text), e.getMessage()));
      return Optional.empty();
    }
  }

  private @Nullable Given given(String key) {
    Given given = own.get(key);
    return given == null ? defaults.get(key) : given;
  }

  private void problem(String key, String what) {
    problems.add("%s: %s".formatted(place(key), what));
  }

  private String place(String key) {
    Given given = given(key);
    return given == null ? key : given.where();
  }

  private static double fps(String text) {
    double fps;
    try {
      fps = Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("expected a number of frames per second", e);
    }
    return FrameRate.require(fps);
  }

  private static Encoding encoding(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "png" -> Encoding.PNG;
      case "jpeg", "jpg" -> Encoding.JPEG;
      default -> throw new IllegalArgumentException("expected png or jpeg");
    };
  }

  private static Duration duration(String text) {
    Duration duration = Parsers.duration(text);
    if (duration.isZero() || duration.isNegative() || duration.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "expected a duration of more than 0 and at most %d h".formatted(LONGEST.toHours()));
    }
    return duration;
  }

  private static Function<String, Integer> number(int min, int max) {
    return Parsers.integer(min, max);
  }

  private static Path readable(String text) {
    Path file = Path.of(text);
    if (!Files.isReadable(file)) {
      throw new IllegalArgumentException("expected a file that can be read");
    }
    return file;
  }

  private static String firstLine(String text) {
    try {
      return Files.readString(readable(text)).lines().findFirst().orElse("");
    } catch (IOException e) {
      throw new IllegalArgumentException("it cannot be read", e);
    }
  }
}
