// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Text to token ids and back: the byte-level BPE of Qwen2.5 (Qwen2.5-VL §13). Thread-safe. */
public final class Tokenizer {
  /** Serves nearly all text of a stream; longer pieces are rare and would fill the memory. */
  private static final int CACHED_PIECES = 10_000;

  private static final int LONGEST_CACHED = 64;

  private final BytePairEncoder encoder;
  private final byte[][] bytes;
  private final Map<Integer, AddedToken> added = new HashMap<>();
  private final Map<String, Integer> addedIds = new HashMap<>();
  private final Pattern addedPattern;
  private final Map<String, int[]> cache =
      new LinkedHashMap<>(1024, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, int[]> eldest) {
          return size() > CACHED_PIECES;
        }
      };

  /**
   * @param bytes by id; empty where an id belongs to no token
   */
  Tokenizer(BytePairEncoder encoder, byte[][] bytes, List<AddedToken> added) {
    this.encoder = encoder;
    this.bytes = bytes;
    for (AddedToken token : added) {
      this.added.put(token.id(), token);
      addedIds.put(token.content(), token.id());
    }
    // Leftmost match, the longest of several: a matcher takes the first alternative that fits.
    this.addedPattern =
        Pattern.compile(
            added.isEmpty()
                ? "(?!)"
                : added.stream()
                    .map(AddedToken::content)
                    .sorted(Comparator.comparingInt(String::length).reversed())
                    .map(Pattern::quote)
                    .collect(Collectors.joining("|")));
  }

  /**
   * Reads the folder's {@code tokenizer.json}.
   *
   * @throws BadModelException if the file cannot be used
   */
  public static Tokenizer open(ModelFolder folder) {
    return read(folder.tokenizer());
  }

  /** A single file, as {@link #open(ModelFolder)}. */
  public static Tokenizer read(Path file) {
    return TokenizerFile.read(file);
  }

  /**
   * Encodes text from outside: an instruction, a context, a question. Strings that look like chat
   * markers are ordinary text here and never become special tokens.
   */
  public int[] encode(String text) {
    IntStream.Builder ids = IntStream.builder();
    encodePlain(text, ids);
    return ids.build().toArray();
  }

  /**
   * Encodes our own prompt grammar, in which {@code <|im_start|>} and its like are tokens. Never
   * for text from outside.
   */
  public int[] encodeWithSpecials(String text) {
    IntStream.Builder ids = IntStream.builder();
    Matcher matcher = addedPattern.matcher(text);
    int at = 0;
    while (matcher.find()) {
      encodePlain(text.substring(at, matcher.start()), ids);
      Integer id = addedIds.get(matcher.group());
      if (id != null) {
        ids.add(id);
      }
      at = matcher.end();
    }
    encodePlain(text.substring(at), ids);
    return ids.build().toArray();
  }

  /**
   * The text of a whole turn. NFC means that {@code decode(encode(s))} is NFC(s), not always s.
   *
   * @param skipSpecial leaves special tokens out
   * @throws IllegalArgumentException if an id belongs to no token
   */
  public String decode(int[] ids, boolean skipSpecial) {
    TokenDecoder decoder = new TokenDecoder(this, skipSpecial);
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.push(id));
    }
    return text.append(decoder.flush()).toString();
  }

  /** Id of an added token such as {@code <|im_start|>}. */
  public OptionalInt added(String content) {
    Integer id = addedIds.get(content);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** One more than the largest token id; the embedding may have unused rows from here on. */
  public int size() {
    return bytes.length;
  }

  /** Whether the id belongs to a token; others must never be produced (§3.2). */
  public boolean isToken(int id) {
    return id >= 0 && id < bytes.length && bytes[id].length > 0;
  }

  /** UTF-8 of a token, possibly a part of a character. The array must not be changed. */
  byte[] bytes(int id) {
    if (!isToken(id)) {
      throw new IllegalArgumentException(
          "id %d belongs to no token; the tokenizer has ids from 0 to %d. Do the tokenizer and the weights belong together?"
              .formatted(id, bytes.length - 1));
    }
    return bytes[id];
  }

  BytePairEncoder encoder() {
    return encoder;
  }

  boolean isAdded(int id) {
    return added.containsKey(id);
  }

  /** Left out on output when asked. */
  boolean isSpecial(int id) {
    AddedToken token = added.get(id);
    return token != null && token.special();
  }

  private void encodePlain(String text, IntStream.Builder ids) {
    if (text.isEmpty()) {
      return;
    }
    PieceScanner pieces = new PieceScanner(normalize(text));
    while (!pieces.atEnd()) {
      for (int id : encodePiece(pieces.next())) {
        ids.add(id);
      }
    }
  }

  private int[] encodePiece(String piece) {
    if (piece.length() > LONGEST_CACHED) {
      return encoder.encode(piece.getBytes(StandardCharsets.UTF_8));
    }
    synchronized (cache) {
      return cache.computeIfAbsent(piece, p -> encoder.encode(p.getBytes(StandardCharsets.UTF_8)));
    }
  }

  /** NFC; half a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD. */
  private static String normalize(String text) {
    int[] codePoints = text.codePoints().toArray();
    boolean whole = Arrays.stream(codePoints).noneMatch(Tokenizer::isSurrogate);
    String valid = text;
    if (!whole) {
      int[] replaced = Arrays.stream(codePoints).map(c -> isSurrogate(c) ? 0xfffd : c).toArray();
      valid = new String(replaced, 0, replaced.length);
    }
    return Normalizer.normalize(valid, Normalizer.Form.NFC);
  }

  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }
}
