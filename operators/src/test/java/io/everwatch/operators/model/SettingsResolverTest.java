// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.everwatch.operators.model.StreamSettings.QueryPlacement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsResolverTest {
  @TempDir Path temp;
  private Path model;

  @BeforeEach
  void copyACheckpoint() throws IOException {
    model = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("model"));
  }

  @Test
  void givesAPublishedFolderTheConstantsOfThePublishedStreaming() {
    // StreamingVLM §2; the folder's own files say 1e-6 and other pixel limits.
    assertThat(open().resolve(Map.of()).settings())
        .isEqualTo(
            new StreamSettings(
                2,
                1_000_000,
                78_400,
                602_112,
                16,
                16,
                true,
                512,
                512,
                20,
                0.9f,
                1.05f,
                50,
                1,
                42,
                "",
                QueryPlacement.CONTEXT,
                9000,
                1_000_000,
                16_000_000,
                10_000_000,
                PrefillSettings.DEFAULT));
  }

  @Test
  void shipsAGreedyModelWithItsOwnMemory() {
    ModelFolder folder = ModelFolder.open("everwatch-tiny");
    StreamSettings settings =
        SettingsResolver.open(folder, ModelConfig.read(folder)).resolve(Map.of()).settings();

    assertThat(settings.temperature()).isZero();
    assertThat(settings.repetitionPenalty()).isEqualTo(1);
    assertThat(settings.textSink()).isEqualTo(16);
    assertThat(settings.textWindow()).isEqualTo(384);
    assertThat(settings.minPixels()).isEqualTo(112 * 112);
    assertThat(settings.maxPixels()).isEqualTo(112 * 112);
    assertThat(settings.framesPerChunk()).isEqualTo(2);
    assertThat(settings.markerLimitSeconds()).isEqualTo(9000);
    assertThat(settings.instruction()).isEqualTo(" Watch the road and count the cars.");
    ChatGrammar grammar =
        ChatGrammar.open(folder, ModelConfig.read(folder), Tokenizer.open(folder));
    assertThat(grammar.context(settings).length)
        .as("the sink keeps the whole instruction")
        .isLessThanOrEqualTo(settings.textSink());
  }

  @Test
  void laterLayersWin() throws IOException {
    streaming("{\"text_window\": 100, \"text_sink\": 32, \"seed\": 7}");

    ResolvedSettings resolved =
        open().resolve(Map.of("text_sink", "64", "seed", "8"), Map.of("seed", "-9"));

    assertThat(resolved.settings().textRounds()).isEqualTo(16);
    assertThat(resolved.settings().repetitionPenalty()).isEqualTo(1.05f);
    assertThat(resolved.settings().temperature()).isZero();
    assertThat(resolved.settings().minPixels()).isEqualTo(3136);
    assertThat(resolved.settings().maxPixels()).isEqualTo(31360);
    assertThat(resolved.settings().textWindow()).isEqualTo(100);
    assertThat(resolved.settings().textSink()).isEqualTo(64);
    assertThat(resolved.settings().seed()).isEqualTo(-9);
    assertThat(origin(resolved, "text_rounds")).isEqualTo("built-in");
    assertThat(origin(resolved, "repetition_penalty")).isEqualTo("generation_config.json");
    assertThat(origin(resolved, "max_pixels")).isEqualTo("preprocessor_config.json");
    assertThat(origin(resolved, "text_window")).isEqualTo("streaming.json");
    assertThat(origin(resolved, "text_sink")).isEqualTo("job configuration");
    assertThat(origin(resolved, "seed")).isEqualTo("command");
  }

  @Test
  void readsTheProcessorFileOfNewerFolders() throws IOException {
    Files.delete(model.resolve("preprocessor_config.json"));
    Files.copy(
        GoldenFolder.QWEN.resolve("configs/tiny_a_processor_config_5.json"),
        model.resolve("processor_config.json"));
    streaming("{}");

    ResolvedSettings resolved = open().resolve(Map.of());

    assertThat(resolved.settings().minPixels()).isEqualTo(3136);
    assertThat(resolved.settings().maxPixels()).isEqualTo(31360);
    assertThat(origin(resolved, "min_pixels")).isEqualTo("processor_config.json");
  }

  @Test
  void isGreedyWhenTheGenerationFileDoesNotSample() throws IOException {
    streaming("{}");
    Files.writeString(
        model.resolve("generation_config.json"), "{\"do_sample\": false, \"temperature\": 0.7}");

    assertThat(open().resolve(Map.of()).settings().temperature()).isZero();

    Files.writeString(
        model.resolve("generation_config.json"),
        "{\"do_sample\": true, \"temperature\": 0.7, \"top_k\": 5, \"top_p\": 0.8}");
    StreamSettings settings = open().resolve(Map.of()).settings();
    assertThat(settings.temperature()).isEqualTo(0.7f);
    assertThat(settings.topK()).isEqualTo(5);
    assertThat(settings.topP()).isEqualTo(0.8f);
  }

  @ParameterizedTest
  @ValueSource(strings = {"text_window", "text-window", "textWindow", "text.window"})
  void understandsTheUsualSpellingsOfAKeyInTheJob(String spelling) {
    assertThat(open().resolve(Map.of(spelling, "192")).settings().textWindow()).isEqualTo(192);
  }

  @ParameterizedTest
  @CsvSource({
    "1 s,1000000",
    "500 ms,500000",
    "500ms,500000",
    "1.5 s,1500000",
    "2s,2000000",
    "0.1 s,100000"
  })
  void readsDurations(String text, long micros) {
    assertThat(open().resolve(Map.of("chunk", text, "fps", "10")).settings().chunkMicros())
        .isEqualTo(micros);
  }

  @Test
  void derivesTheLongestGapFromTheVisualWindow() {
    assertThat(
            open()
                .resolve(Map.of("visual_rounds", "5", "chunk", "500 ms"))
                .settings()
                .maxGapMicros())
        .isEqualTo(2_500_000);
    assertThat(open().resolve(Map.of("max-gap", "3 min")).settings().maxGapMicros())
        .isEqualTo(180_000_000);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of("textWindows", "1", "unknown key textWindows"),
        Arguments.of("text_rounds", "1", "text_rounds is \"1\", expected a whole number from 2"),
        Arguments.of("text_rounds", "2.0", "text_rounds is \"2.0\""),
        Arguments.of("visual_rounds", "0", "visual_rounds is \"0\""),
        Arguments.of("fps", "0", "fps is \"0\""),
        Arguments.of("fps", "NaN", "fps is \"NaN\""),
        Arguments.of("fps", "61", "fps is \"61\""),
        Arguments.of("fps", "2.5", "give 2.5 frames per chunk"),
        Arguments.of("chunk", "250 ms", "give 0.5 frames per chunk"),
        Arguments.of("chunk", "1", "chunk is \"1\", expected a duration"),
        Arguments.of("chunk", "-1 s", "chunk is \"-1 s\""),
        Arguments.of("chunk", "1 week", "chunk is \"1 week\""),
        Arguments.of("chunk", "0.0000001 s", "chunk is \"0.0000001 s\""),
        Arguments.of("temperature", "-0.1", "temperature is \"-0.1\""),
        Arguments.of("top_p", "0", "top_p is \"0\""),
        Arguments.of("top_p", "1.1", "top_p is \"1.1\""),
        Arguments.of("repetition_penalty", "0", "repetition_penalty is \"0\""),
        Arguments.of("cut_text", "yes", "cut_text is \"yes\", expected true or false"),
        Arguments.of("query_placement", "last", "expected one of [context, first-turn]"),
        Arguments.of("min_pixels", "700000", "expected min <= max"),
        Arguments.of("marker_limit", "1 s", "expected at least two chunks"),
        Arguments.of("seed", "9223372036854775808", "seed is"),
        Arguments.of("instruction", "x".repeat(8193), "text of at most 8192 characters"));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("refused")
  void refusesAValueThatCannotBe(String key, String value, String message) {
    assertThatThrownBy(() -> open().resolve(Map.of(key, value)))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("job configuration");
  }

  @Test
  void wantsWholeTenthsOfASecondForItsTimeMarkers() {
    assertThatThrownBy(() -> open().resolve(Map.of("chunk", "250 ms", "fps", "4")))
        .hasMessageContaining("time markers have one decimal");
  }

  @Test
  void namesAllProblemsInOneMessage() {
    assertThatThrownBy(
            () -> open().resolve(Map.of("fps", "fast", "rounds", "3"), Map.of("top_k", "-1")))
        .hasMessageContaining("3 problems")
        .hasMessageContaining("job configuration: fps is \"fast\"")
        .hasMessageContaining("job configuration: unknown key rounds")
        .hasMessageContaining("command: top_k is \"-1\"");
  }

  @Test
  void refusesOneKeyInTwoSpellings() {
    assertThatThrownBy(() -> open().resolve(Map.of("top_k", "1", "topK", "1")))
        .hasMessageContaining("mean the same");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"frames_per_turn\": 2}|unknown key frames_per_turn",
        "{\"textWindow\": 2}|unknown key textWindow",
        "{\"text_window\": \"384\"}|text_window is \"384\", expected a whole number",
        "{\"text_window\": 1.5}|text_window is 1.5",
        "{\"text_window\": null}|text_window is null",
        "{\"text_rounds\": 1}|text_rounds is 1, expected a whole number from 2",
        "{\"chunk\": 1}|chunk is 1, expected a duration",
        "{\"cut_text\": \"true\"}|cut_text is \"true\", expected true or false",
        "{\"instruction\": 7}|instruction is 7, expected text",
        "{\"fps\": 2, \"fps\": 3}|Duplicate field 'fps'",
        "{\"fps\": 2.5}|give 2.5 frames per chunk",
        "[]|expected one JSON object"
      })
  void refusesAStreamingFileWithAnythingWrong(String json, String message) throws IOException {
    streaming(json);

    assertThatThrownBy(this::open)
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("streaming.json");
  }

  @Test
  void namesAllProblemsOfTheStreamingFileInOneMessage() throws IOException {
    streaming("{\"colour\": 1, \"fps\": \"2\", \"text_sink\": -1}");

    assertThatThrownBy(this::open)
        .hasMessageContaining("3 problems")
        .hasMessageContaining("colour")
        .hasMessageContaining("fps is \"2\"")
        .hasMessageContaining("text_sink is -1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"patch_size\": 16}|patch_size is 16, config.json says 14",
        "{\"merge_size\": 3}|merge_size is 3, config.json says 2",
        "{\"image_mean\": [0.5, 0.5, 0.5]}|image_mean is [0.5,0.5,0.5]",
        "{\"image_std\": [0.26862954]}|image_std is",
        "{\"rescale_factor\": 1.0}|rescale_factor is 1.0",
        "{\"max_pixels\": \"many\"}|max_pixels is \"many\""
      })
  void refusesAPreprocessorThatItIsNot(String json, String message) throws IOException {
    Files.writeString(model.resolve("preprocessor_config.json"), json);

    assertThatThrownBy(this::open)
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("preprocessor_config.json");
  }

  @Test
  void refusesAGenerationFileWithWrongTypes() throws IOException {
    Files.writeString(
        model.resolve("generation_config.json"),
        "{\"temperature\": \"hot\", \"top_k\": -3, \"eos_token_id\": [1, \"x\"]}");

    assertThatThrownBy(this::open)
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("temperature is \"hot\"")
        .hasMessageContaining("top_k is -3")
        .hasMessageContaining("eos_token_id is [1,\"x\"]");
  }

  @Test
  void describesEverySettingWithItsOrigin() throws IOException {
    streaming("{\"instruction\": \"Count.\\nTwice.\", \"chunk\": \"500 ms\"}");

    ResolvedSettings resolved = open().resolve(Map.of("fps", "4"));

    assertThat(resolved.describe().lines()).hasSize(SettingKey.ALL.size());
    assertThat(resolved.describe())
        .containsPattern("(?m)^fps +4 +job configuration$")
        .containsPattern("(?m)^chunk +500 ms +streaming.json$")
        .containsPattern("(?m)^instruction +\"Count.\\\\nTwice.\" +streaming.json$")
        .containsPattern("(?m)^max_gap +8 s +visual_rounds x chunk$");
    assertThat(resolved.origins()).allSatisfy(line -> assertThat(line.help()).isNotBlank());
  }

  private SettingsResolver open() {
    ModelFolder folder = ModelFolder.open(model);
    return SettingsResolver.open(folder, ModelConfig.read(folder));
  }

  private void streaming(String json) throws IOException {
    Files.writeString(model.resolve("streaming.json"), json);
  }

  private static String origin(ResolvedSettings resolved, String key) {
    return resolved.origins().stream()
        .filter(line -> line.key().equals(key))
        .findFirst()
        .orElseThrow()
        .origin();
  }
}
