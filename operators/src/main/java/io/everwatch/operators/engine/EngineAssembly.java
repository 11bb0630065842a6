// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.Backend;
import io.everwatch.kernels.FlexPrefill;
import io.everwatch.operators.cache.ContiguousPositions;
import io.everwatch.operators.cache.NativePositions;
import io.everwatch.operators.cache.PositionMode;
import io.everwatch.operators.cache.RetentionPolicy;
import io.everwatch.operators.cache.RetentionWindow;
import io.everwatch.operators.cache.StreamingVlmPolicy;
import io.everwatch.operators.cache.TurnTokens;
import io.everwatch.operators.engine.TurnEnding.CutTurn;
import io.everwatch.operators.model.ChatGrammar;
import io.everwatch.operators.model.FrameDecoder;
import io.everwatch.operators.model.FrameLimits;
import io.everwatch.operators.model.Model;
import io.everwatch.operators.model.PrefillSettings;
import io.everwatch.operators.model.SettingsResolver;
import io.everwatch.operators.model.StreamSettings;
import io.everwatch.operators.model.TuningProfile;
import io.everwatch.operators.model.TuningProfile.Target;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts an engine together around a model. */
final class EngineAssembly {
  private static final Logger LOG = LoggerFactory.getLogger(EngineAssembly.class);

  /** Part of the numerics identity; raised when the engine itself computes other bits. */
  private static final String ENGINE = "engine 1";

  private EngineAssembly() {}

  /**
   * Takes the model from the shelf and starts the engine, which gives it back when it has ended;
   * nothing stays open when that fails.
   */
  static Engine open(EngineOptions options, ModelShelf shelf) {
    LoadedModel loaded = shelf.take(options);
    try {
      Model model = loaded.model();
      StreamSettings settings =
          SettingsResolver.open(model.folder(), model.config())
              .resolve(options.overrides())
              .settings();
      instructionTooLong(model.grammar().context(settings).length, settings).ifPresent(LOG::warn);
      EngineParts parts =
          parts(loaded, settings, options, intact -> shelf.giveBack(loaded, intact));
      if (model.folder().weightSeed().isPresent()) {
        LOG.warn(
            "model {} has random weights: it takes as long as one of its shape, and its text means nothing",
            model.folder().name());
      }
      LOG.info("numerics {}", parts.numerics());
      return new BatchingEngine(parts, options, Runtime.getRuntime()::halt).start();
    } catch (RuntimeException | Error e) {
      try (loaded) {
        throw e;
      }
    }
  }

  /**
   * What to tell when the memory will not keep all of the standing text.
   *
   * @param tokens of the standing text where it opens {@code previous text}; 0 where it does not
   */
  static Optional<String> instructionTooLong(int tokens, StreamSettings settings) {
    return settings.cutText() && tokens > settings.textSink()
        ? Optional.of(
            "the instruction has %d tokens, but a stream keeps only the first %d of its previous text for ever (textSink); expected room for all of it, for its end is forgotten once enough was said; raise textSink to %d, or shorten it"
                .formatted(tokens, settings.textSink(), tokens))
        : Optional.empty();
  }

  /**
   * @param end takes the model back when the engine of these parts has ended
   */
  static EngineParts parts(
      LoadedModel loaded, StreamSettings settings, EngineOptions options, ModelNetwork.End end) {
    Model model = loaded.model();
    Backend backend = loaded.backend();
    ChatGrammar grammar = model.grammar();
    FrameDecoder decoder = new FrameDecoder(FrameLimits.defaults());
    String modelDigest = model.folder().digest();
    TuningProfile profile = profile(options, backend, model);
    return new EngineParts(
        new ModelNetwork(
            backend,
            model.tower(),
            model.decoder(),
            drawable(model),
            NetworkLimits.of(options, sparse(settings.prefill(), profile)),
            end),
        new Clip.Maker(decoder, model.processor(), backend.patchMaker().isPresent()),
        planner(
            model,
            new GrammarPrompts(grammar),
            options.nativePositions() ? new NativePositions() : new ContiguousPositions(),
            profile),
        s -> policy(s, grammar.turnTokens()),
        words(model),
        new TurnEnding(
            grammar.turnTokens(), grammar.endOfTurn(), words(model), CutTurn.PAUSE_AND_END),
        stops(grammar),
        settings,
        modelDigest,
        numerics(backend, modelDigest, profile, decoder));
  }

  /** How streams with the job's settings choose key blocks, if they ever do. */
  private static @Nullable FlexPrefill sparse(
      PrefillSettings settings, @Nullable TuningProfile profile) {
    return switch (settings.sparse()) {
      case ALWAYS -> settings.selector();
      case NEVER -> null;
      case AUTO -> profile == null ? null : settings.selector();
    };
  }

  /** What was measured of this very device, if its file was named. */
  private static @Nullable TuningProfile profile(
      EngineOptions options, Backend backend, Model model) {
    String file = options.tuningProfile();
    if (file == null) {
      return null;
    }
    TuningProfile profile = TuningProfile.read(Path.of(file));
    profile.require(
        Target.of(backend.numerics(), backend.dtype(), model.decoder().kvShape()), file);
    LOG.info("{}", profile);
    return profile;
  }

  static RoundPlanner planner(
      Model model,
      RoundPlanner.Prompts prompts,
      PositionMode positions,
      @Nullable TuningProfile profile) {
    var vision = model.config().vision();
    return new RoundPlanner(
        prompts,
        positions,
        vision.spatialMergeSize(),
        vision.temporalPatchSize(),
        vision.tokensPerSecond(),
        profile);
  }

  static Words words(Model model) {
    return new Words() {
      @Override
      public int[] encode(String text) {
        return model.grammar().outside(text);
      }

      @Override
      public String decode(int[] ids) {
        return model.tokenizer().decode(ids, true);
      }
    };
  }

  static BitSet stops(ChatGrammar grammar) {
    BitSet stops = new BitSet();
    grammar.stops().forEach(stops::set);
    return stops;
  }

  private static RetentionPolicy policy(StreamSettings s, TurnTokens tokens) {
    return new StreamingVlmPolicy(
        new RetentionWindow(
            s.textRounds(), s.visualRounds(), s.cutText(), s.textSink(), s.textWindow()),
        tokens);
  }

  /** Ids that belong to a token; the other rows of the embedding are unused. */
  private static BitSet drawable(Model model) {
    BitSet drawable = new BitSet();
    int rows = Math.min(model.tokenizer().size(), model.decoder().vocabSize());
    IntStream.range(0, rows).filter(model.tokenizer()::isToken).forEach(drawable::set);
    return drawable;
  }

  private static NumericsIdentity numerics(
      Backend backend, String modelDigest, @Nullable TuningProfile profile, FrameDecoder decoder) {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("engine", ENGINE);
    parts.put("back end", backend.numerics()); // library, version, instruction set, type
    if (profile != null) { // so that memories from before there were profiles go on unmarked
      parts.put("tuning profile", profile.digest());
    }
    parts.put("model", modelDigest);
    parts.put("decoded test picture", decoder.digest());
    return NumericsIdentity.of(parts);
  }
}
