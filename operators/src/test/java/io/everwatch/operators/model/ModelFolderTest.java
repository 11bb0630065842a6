// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
  @Test
  void digestIsTheSameInEveryCountry() {
    String digest = ModelFolder.open(GoldenFolder.TINY_A).digest();
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab")); // writes digits of its own
    try {
      assertThat(ModelFolder.open(GoldenFolder.TINY_A).digest()).isEqualTo(digest);
    } finally {
      Locale.setDefault(before);
    }
  }

  @TempDir Path temp;

  @Test
  void findsTheFilesOfADirectory() {
    ModelFolder one = ModelFolder.open(GoldenFolder.TINY_A.toString());
    assertThat(one.name()).isEqualTo("tiny_a");
    assertThat(one.weights()).containsExactly(GoldenFolder.TINY_A.resolve("model.safetensors"));
    assertThat(one.weightIndex()).isEmpty();

    ModelFolder three = ModelFolder.open(GoldenFolder.TINY_B);
    assertThat(three.weights())
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, 3)
                .mapToObj(
                    i -> GoldenFolder.TINY_B.resolve("model-0000" + i + "-of-00003.safetensors"))
                .toList());
    assertThat(three.weightIndex()).isPresent();
  }

  @Test
  void digestNamesTheContentAndNotThePlace() throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("elsewhere"));
    String digest = ModelFolder.open(GoldenFolder.TINY_A).digest();

    assertThat(digest).matches("[0-9a-f]{64}");
    assertThat(ModelFolder.open(copy).digest()).isEqualTo(digest);
    Files.writeString(copy.resolve("README.md"), "not a part of the model");
    assertThat(ModelFolder.open(copy).digest()).isEqualTo(digest);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "generation_config.json",
        "preprocessor_config.json"
      })
  void digestSeesEveryFileThatIsRead(String file) throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    byte[] bytes = Files.readAllBytes(copy.resolve(file));
    bytes[bytes.length - 1] ^= 1;
    Files.write(copy.resolve(file), bytes);

    assertThat(ModelFolder.open(copy).digest())
        .isNotEqualTo(ModelFolder.open(GoldenFolder.TINY_A).digest());
  }

  @Test
  void digestSeesSettingsThatAreAdded() throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    Files.writeString(copy.resolve("streaming.json"), "{}");

    assertThat(ModelFolder.open(copy).digest())
        .isNotEqualTo(ModelFolder.open(GoldenFolder.TINY_A).digest());
  }

  @Test
  void namesAllMissingFiles() throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    Files.delete(copy.resolve("model.safetensors"));
    Files.delete(copy.resolve("tokenizer.json"));

    assertThatThrownBy(() -> ModelFolder.open(copy))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("model.safetensors is missing")
        .hasMessageContaining("tokenizer.json is missing")
        .hasMessageNotContaining("config.json is missing");
  }

  @Test
  void namesAMissingShard() throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_B, temp.resolve("m"));
    Files.delete(copy.resolve("model-00002-of-00003.safetensors"));

    assertThatThrownBy(() -> ModelFolder.open(copy))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("model-00002-of-00003.safetensors is missing");
  }

  @Test
  void noticesALinkToNowhere() throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_A, temp.resolve("m"));
    Files.delete(copy.resolve("config.json"));
    Files.createSymbolicLink(copy.resolve("config.json"), temp.resolve("blob"));

    assertThatThrownBy(() -> ModelFolder.open(copy))
        .hasMessageContaining("config.json is not a readable file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret.safetensors", "/etc/passwd", "..", "a/b.safetensors", ""})
  void followsNoShardNameOutOfTheFolder(String shard) throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_B, temp.resolve("m"));
    Files.writeString(
        copy.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"model.norm.weight\": \"%s\"}}".formatted(shard));

    assertThatThrownBy(() -> ModelFolder.open(copy))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("expected a plain file name");
  }

  @Test
  void refusesToGuessBetweenOneFileAndShards() throws IOException {
    Path copy = GoldenFolder.copy(GoldenFolder.TINY_B, temp.resolve("m"));
    Files.copy(GoldenFolder.TINY_A.resolve("model.safetensors"), copy.resolve("model.safetensors"));

    assertThatThrownBy(() -> ModelFolder.open(copy))
        .hasMessageContaining("both model.safetensors and model.safetensors.index.json are there");
  }

  @Test
  void namesTheBuiltInModelsWhenThereIsNoSuchModel() {
    assertThatThrownBy(() -> ModelFolder.open("everwatch-huge"))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("There is no model everwatch-huge")
        .hasMessageContaining("everwatch-tiny");
  }

  @Test
  void unpacksABuiltInModelForItsOwnerOnly() throws IOException {
    Path cache = PrivateCache.open(temp.resolve("a/cache"));

    Path model = BuiltInModel.unpack("everwatch-tiny", cache);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)))
        .isEqualTo("rwx------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(model)))
        .isEqualTo("rwx------");
    assertThat(model.getFileName().toString()).matches("everwatch-tiny-[0-9a-f]{16}");
    assertThat(ModelFolder.open(model).file("streaming.json")).isPresent();
    assertThat(listed(cache)).containsExactly(model);
  }

  @Test
  void unpacksOnceAndAgainWhenTheCopyIsDamaged() throws IOException {
    Path cache = PrivateCache.open(temp.resolve("cache"));
    Path model = BuiltInModel.unpack("everwatch-tiny", cache);
    Object first = Files.readAttributes(model, "unix:ino").get("ino");
    assertThat(BuiltInModel.unpack("everwatch-tiny", cache)).isEqualTo(model);
    assertThat(Files.readAttributes(model, "unix:ino").get("ino")).isEqualTo(first);

    String digest = ModelFolder.open(model).digest();
    Files.write(model.resolve("model.safetensors"), new byte[] {1, 2, 3});
    Files.delete(model.resolve("config.json"));

    assertThat(BuiltInModel.unpack("everwatch-tiny", cache)).isEqualTo(model);
    assertThat(ModelFolder.open(model).digest()).isEqualTo(digest);
    assertThat(listed(cache)).containsExactly(model);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void manyProcessesMayUnpackAtOnce(boolean damaged) throws Exception {
    Path cache = PrivateCache.open(temp.resolve("cache"));
    if (damaged) {
      Files.delete(BuiltInModel.unpack("everwatch-tiny", cache).resolve("config.json"));
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Path>> calls =
          IntStream.range(0, 8)
              .<Callable<Path>>mapToObj(i -> () -> BuiltInModel.unpack("everwatch-tiny", cache))
              .toList();
      for (Future<Path> done : threads.invokeAll(calls)) {
        assertThat(ModelFolder.open(done.get()).digest()).hasSize(64);
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(listed(cache)).hasSize(1);
  }

  @Test
  void refusesACacheThatOthersMayWriteTo() throws IOException {
    Path cache = Files.createDirectory(temp.resolve("shared"));
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));

    assertThatThrownBy(() -> PrivateCache.open(cache))
        .isInstanceOf(BadModelException.class)
        .hasMessageContaining("rwxrwxrwx")
        .hasMessageContaining("chmod 700");
  }

  private static List<Path> listed(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }
}
