// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.operators.cache.TurnTokens;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The prompt of a stream, part by part, as token ids (StreamingVLM §5, Qwen2.5-VL §5). Text from
 * outside (instruction, context, chat content) is encoded so that chat markers in it stay text.
 * Each part is one segment of the stream's memory, so a part is always tokenised alone; joined in
 * the order of {@link io.everwatch.operators.cache.SegmentKind} they are the published prompt.
 * Thread-safe; arrays handed out are the caller's.
 */
public final class ChatGrammar {
  private static final String SYSTEM_TEXT = "You are a helpful assistant.";
  private static final String IM_START = "<|im_start|>";
  private static final String IM_END = "<|im_end|>";
  private static final String END_OF_TEXT = "<|endoftext|>";
  private static final String PAUSE = " ...";

  private final Tokenizer tokenizer;
  private final ModelTokens tokens;
  private final int imStart;
  private final int imEnd;
  private final int pause;
  private final Set<Integer> stops;

  private ChatGrammar(
      Tokenizer tokenizer,
      ModelTokens tokens,
      int imStart,
      int imEnd,
      int pause,
      Set<Integer> stops) {
    this.tokenizer = tokenizer;
    this.tokens = tokens;
    this.imStart = imStart;
    this.imEnd = imEnd;
    this.pause = pause;
    this.stops = Set.copyOf(stops);
  }

  /**
   * Looks up the tokens of the grammar.
   *
   * @throws BadModelException if tokenizer and configuration disagree, or {@code " ..."} is not one
   *     token, on which all rules of the text memory depend
   */
  public static ChatGrammar open(ModelFolder folder, ModelConfig config, Tokenizer tokenizer) {
    Problems problems = new Problems();
    ModelTokens tokens = config.tokens();
    int imStart = added(IM_START, tokenizer, problems);
    int imEnd = added(IM_END, tokenizer, problems);
    expect("<|vision_start|>", tokens.visionStart(), tokenizer, problems);
    expect("<|vision_end|>", tokens.visionEnd(), tokenizer, problems);
    expect("<|image_pad|>", tokens.imagePad(), tokenizer, problems);
    expect("<|video_pad|>", tokens.videoPad(), tokenizer, problems);
    int pause = one(PAUSE, tokenizer, problems);
    one("\n", tokenizer, problems);
    if (tokenizer.size() > config.text().vocabSize()) {
      problems.add(
          "the tokenizer has ids up to %d, the embedding %d rows"
              .formatted(tokenizer.size() - 1, config.text().vocabSize()));
    }
    Set<Integer> stops = new HashSet<>(tokens.endOfTurn());
    stops.addAll(GenerationConfig.read(folder).stopTokens());
    stops.add(imEnd);
    tokenizer.added(END_OF_TEXT).ifPresent(stops::add);
    for (int stop : stops) {
      if (!tokenizer.isToken(stop)) {
        problems.add("the stop id %d belongs to no token".formatted(stop));
      }
    }
    problems.throwIfAny(
        "tokenizer of " + folder,
        "Expected tokenizer.json, generation_config.json and config.json of one checkpoint; take all from the same place.");
    return new ChatGrammar(tokenizer, tokens, imStart, imEnd, pause, stops);
  }

  /** {@code <|im_start|>system⏎You are a helpful assistant.<|im_end|>⏎}. */
  public int[] system() {
    return join(imStart, plain("system\n" + SYSTEM_TEXT), turnClose());
  }

  /** {@code <|im_start|>previous text⏎}. */
  public int[] memoryOpen() {
    return join(imStart, plain("previous text\n"));
  }

  /**
   * What {@code previous text} holds when the stream starts: the standing text, unless it stands in
   * the first turn.
   */
  public int[] context(StreamSettings settings) {
    return settings.queryPlacement() == StreamSettings.QueryPlacement.CONTEXT
        ? outside(settings.instruction())
        : new int[0];
  }

  /** {@code <|im_end|>⏎}: the end of {@code previous text}. */
  public int[] memoryClose() {
    return turnClose();
  }

  /** {@code <|im_start|>user⏎}. */
  public int[] userOpen() {
    return join(imStart, plain("user\n"));
  }

  /**
   * {@code Time=17.0-18.0s}.
   *
   * @param chunk index on the stream's grid
   */
  public int[] marker(long chunk, StreamSettings settings) {
    return plain(TimeMarker.text(chunk, settings));
  }

  /**
   * Start, pads, end.
   *
   * @param pads vision tokens of the round's clip, at least 1
   */
  public int[] vision(int pads) {
    return media(tokens.videoPad(), pads);
  }

  /** What stands behind the video of the first user turn; empty with the default placement. */
  public int[] query(StreamSettings settings) {
    return settings.queryPlacement() == StreamSettings.QueryPlacement.FIRST_TURN
        ? outside(settings.instruction())
        : new int[0];
  }

  /** {@code <|im_end|>⏎}. */
  public int[] userClose() {
    return turnClose();
  }

  /** {@code <|im_start|>assistant⏎}. */
  public int[] assistantOpen() {
    return join(imStart, plain("assistant\n"));
  }

  /** {@code ⏎}, behind the end token of an assistant turn; enters with the next round. */
  public int[] assistantClose() {
    return plain("\n");
  }

  /** Text from outside, e.g. a context or query other than the settings'. */
  public int[] outside(String text) {
    return tokenizer.encode(text);
  }

  /** The token {@code " ..."} that ends every phrase; alone it is silence. */
  public int pause() {
    return pause;
  }

  /** {@code <|im_end|>}; appended to a turn that was cut at its longest. */
  public int endOfTurn() {
    return imEnd;
  }

  /** Ids at which generation stops; the id is part of the turn. */
  public Set<Integer> stops() {
    return stops;
  }

  /** How the end of a turn is known, for the text memory. */
  public TurnTokens turnTokens() {
    return new TurnTokens(pause, stops);
  }

  /**
   * A whole chat: {@code <|im_start|>ROLE⏎CONTENT<|im_end|>⏎} per message, with a system message in
   * front if the first is none (Qwen2.5-VL §5).
   *
   * @param askForAnswer opens an assistant turn at the end
   */
  public int[] chat(List<ChatMessage> messages, boolean askForAnswer) {
    IntStream.Builder ids = IntStream.builder();
    if (messages.isEmpty() || !messages.get(0).role().equals("system")) {
      append(ids, system());
    }
    for (ChatMessage message : messages) {
      ids.add(imStart);
      // Text between two special tokens is tokenised as one, as the published template does.
      StringBuilder text = new StringBuilder(message.role()).append('\n');
      for (ChatMessage.Part part : message.content()) {
        text.append(part.text());
        if (part.kind() != ChatMessage.Part.Kind.TEXT) {
          append(ids, plain(text.toString()));
          text.setLength(0);
          append(ids, media(padOf(part.kind()), part.pads()));
        }
      }
      append(ids, plain(text.toString()));
      append(ids, turnClose());
    }
    if (askForAnswer) {
      append(ids, assistantOpen());
    }
    return ids.build().toArray();
  }

  private int padOf(ChatMessage.Part.Kind kind) {
    return kind == ChatMessage.Part.Kind.PICTURE ? tokens.imagePad() : tokens.videoPad();
  }

  private int[] media(int pad, int pads) {
    if (pads < 1) {
      throw new IllegalArgumentException(
          "%d vision tokens; expected at least one: t * h * w / 4 of the clip's grid"
              .formatted(pads));
    }
    int[] ids = new int[pads + 2];
    Arrays.fill(ids, pad);
    ids[0] = tokens.visionStart();
    ids[pads + 1] = tokens.visionEnd();
    return ids;
  }

  private int[] turnClose() {
    return join(imEnd, plain("\n"));
  }

  /** Our own words have no chat markers, so both encodings are the same; this one cannot inject. */
  private int[] plain(String text) {
    return tokenizer.encode(text);
  }

  private static int[] join(int first, int[]... rest) {
    return IntStream.concat(IntStream.of(first), Arrays.stream(rest).flatMapToInt(Arrays::stream))
        .toArray();
  }

  private static void append(IntStream.Builder ids, int[] more) {
    for (int id : more) {
      ids.add(id);
    }
  }

  private static int added(String content, Tokenizer tokenizer, Problems problems) {
    return tokenizer
        .added(content)
        .orElseGet(
            () -> {
              problems.add("there is no token %s".formatted(content));
              return 0;
            });
  }

  private static void expect(String content, int id, Tokenizer tokenizer, Problems problems) {
    int found = added(content, tokenizer, problems);
    if (tokenizer.added(content).isPresent() && found != id) {
      problems.add("%s has the id %d, config.json says %d".formatted(content, found, id));
    }
  }

  private static int one(String text, Tokenizer tokenizer, Problems problems) {
    int[] ids = tokenizer.encode(text);
    if (ids.length != 1) {
      problems.add(
          "\"%s\" is %d tokens, expected one".formatted(text.replace("\n", "\\n"), ids.length));
    }
    return ids[0];
  }
}
