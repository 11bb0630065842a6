// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint on disk in the layout of the model hub (Qwen2.5-VL §2). Only the files it names are
 * ever opened; others in the directory are ignored.
 */
public final class ModelFolder {
  static final String CONFIG = "config.json";
  static final String TOKENIZER = "tokenizer.json";
  static final String WEIGHTS = "model.safetensors";
  static final String WEIGHTS_INDEX = "model.safetensors.index.json";
  static final String STREAMING = "streaming.json";
  static final String GENERATION = "generation_config.json";
  static final String PREPROCESSOR = "preprocessor_config.json";

  /** Name of the preprocessor's file since version 5 of the public library. */
  static final String PROCESSOR = "processor_config.json";

  /** Everything but the weights. */
  static final List<String> SETTINGS = List.of(STREAMING, GENERATION, PREPROCESSOR, PROCESSOR);

  /** Of the weights of all random models. */
  private static final long RANDOM_SEED = 1;

  private final String name;
  private final Path directory;
  private final List<Path> weights;
  private final OptionalLong weightSeed;
  private @Nullable String digest;

  private ModelFolder(String name, Path directory, List<Path> weights, OptionalLong weightSeed) {
    this.name = name;
    this.directory = directory;
    this.weights = weights;
    this.weightSeed = weightSeed;
  }

  /**
   * Opens a directory, or a model that is shipped with the project.
   *
   * @param nameOrPath an existing directory, or a name from {@link BuiltInModel#names()}, which is
   *     unpacked into the user's private cache if it is not there yet
   * @throws BadModelException if there is no such model or a file of it is missing
   */
  public static ModelFolder open(String nameOrPath) {
    Path path = Path.of(nameOrPath);
    if (Files.isDirectory(path)) {
      return open(path);
    }
    if (BuiltInModel.names().contains(nameOrPath)) {
      Path directory = BuiltInModel.unpack(nameOrPath, PrivateCache.open());
      return BuiltInModel.isRandom(nameOrPath)
          ? new ModelFolder(nameOrPath, directory, List.of(), OptionalLong.of(RANDOM_SEED))
          : of(nameOrPath, directory);
    }
    throw new BadModelException(
        "There is no model %s; expected a directory with %s, %s and %s, or one of the built-in %s. Check the path."
            .formatted(nameOrPath, CONFIG, TOKENIZER, WEIGHTS, BuiltInModel.names()));
  }

  /**
   * Opens a directory.
   *
   * @throws BadModelException if a file is missing
   */
  public static ModelFolder open(Path directory) {
    Path file = directory.toAbsolutePath().normalize().getFileName();
    return of(file == null ? directory.toString() : file.toString(), directory);
  }

  private static ModelFolder of(String name, Path directory) {
    Problems problems = new Problems();
    if (!Files.isDirectory(directory)) {
      problems.add("is not a directory");
      problems.throwIfAny(directory.toString(), "Check the path of the model.");
    }
    for (String file : List.of(CONFIG, TOKENIZER)) {
      requireFile(directory.resolve(file), problems);
    }
    List<Path> weights = findWeights(directory, problems);
    weights.forEach(file -> requireFile(file, problems));
    problems.throwIfAny(
        "model folder " + directory,
        "Expected the files of a Qwen2.5-VL checkpoint as published; was the download complete?");
    return new ModelFolder(name, directory, weights, OptionalLong.empty());
  }

  /** Built-in name or the directory's last part; for people, not an identity. */
  public String name() {
    return name;
  }

  public Path directory() {
    return directory;
  }

  public Path config() {
    return directory.resolve(CONFIG);
  }

  public Path tokenizer() {
    return directory.resolve(TOKENIZER);
  }

  /** The weight files, in order of their names. */
  public List<Path> weights() {
    return weights;
  }

  /**
   * What the weights follow from, when there are no files of them: a shape to be timed, whose text
   * means nothing.
   */
  public OptionalLong weightSeed() {
    return weightSeed;
  }

  /** Present if the weights are in several files. */
  public Optional<Path> weightIndex() {
    return file(WEIGHTS_INDEX);
  }

  /** An optional file of the folder, if it is there. */
  Optional<Path> file(String file) {
    return Optional.of(directory.resolve(file)).filter(Files::isRegularFile);
  }

  /**
   * SHA-256 over names, sizes and contents of configuration, tokenizer, weights and settings: 64
   * hex digits. Reads all weights the first time.
   *
   * @throws BadModelException if a file cannot be read
   */
  public synchronized String digest() {
    String known = digest;
    if (known == null) {
      List<String> more = new ArrayList<>();
      weightSeed.ifPresent(seed -> more.add("weights of seed " + seed));
      known = ContentDigest.of(files(), more);
      digest = known;
    }
    return known;
  }

  /**
   * Names, sizes and times of all files: equal while nobody has written to them. Cheap, where
   * {@link #digest} reads all weights.
   *
   * @throws BadModelException if a file cannot be looked at
   */
  public String stamp() {
    StringBuilder stamp = new StringBuilder();
    for (Path file : files()) {
      try {
        stamp
            .append(file)
            .append(' ')
            .append(Files.size(file))
            .append(' ')
            .append(Files.getLastModifiedTime(file))
            .append('\n');
      } catch (IOException e) {
        throw new BadModelException(
            "%s cannot be looked at (%s); check the disk and the file's permissions."
                .formatted(file, e),
            e);
      }
    }
    return stamp.toString();
  }

  /** All files that decide what the model says. */
  private List<Path> files() {
    List<Path> files = new ArrayList<>(weights);
    files.add(config());
    files.add(tokenizer());
    weightIndex().ifPresent(files::add);
    SETTINGS.forEach(setting -> file(setting).ifPresent(files::add));
    return files;
  }

  private static List<Path> findWeights(Path directory, Problems problems) {
    Path single = directory.resolve(WEIGHTS);
    Path index = directory.resolve(WEIGHTS_INDEX);
    if (!Files.exists(index)) {
      return List.of(single);
    }
    if (Files.exists(single)) {
      problems.add(
          "both %s and %s are there, expected one of them".formatted(WEIGHTS, WEIGHTS_INDEX));
    }
    TreeSet<String> names = new TreeSet<>();
    for (JsonNode shard : JsonFile.read(index).path("weight_map")) {
      // A name from a file must not lead out of the folder.
      if (!shard.isTextual() || !shard.textValue().matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
        problems.add(
            "%s names the weight file %s, expected a plain file name"
                .formatted(WEIGHTS_INDEX, shard));
        return List.of();
      }
      names.add(shard.textValue());
    }
    if (names.isEmpty()) {
      problems.add("%s has no weight_map with file names".formatted(WEIGHTS_INDEX));
    }
    return names.stream().map(directory::resolve).toList();
  }

  private static void requireFile(Path file, Problems problems) {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      problems.add("%s is missing".formatted(file.getFileName()));
    } else if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      // The hub's own cache holds links; a broken one is a common kind of half download.
      problems.add("%s is not a readable file".formatted(file.getFileName()));
    }
  }

  @Override
  public String toString() {
    return name + " (" + directory + ")";
  }
}
