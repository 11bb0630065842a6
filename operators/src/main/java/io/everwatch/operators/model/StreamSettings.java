// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

/**
 * How one model treats one stream: the resolved values of built-in defaults, {@code
 * generation_config.json} and {@code preprocessor_config.json}, {@code streaming.json}, the job's
 * configuration and a command, later wins.
 *
 * @param fps sampled frames per second; {@code fps * chunk} is a whole number
 * @param chunkMicros length of a chunk
 * @param minPixels pixel limits of one resized frame
 * @param visualRounds rounds whose vision rows are kept, the current one included; at least 1
 * @param textRounds rounds whose turns are kept in place; at least 2
 * @param textSink first tokens of {@code previous text} that are kept for ever
 * @param textWindow last tokens of {@code previous text} that are kept; with {@code cutText} false
 *     nothing is cut
 * @param temperature 0 = greedy
 * @param topK 0 = off
 * @param topP 1 = off
 * @param instruction the standing text; where it stands is {@code queryPlacement}
 * @param markerLimitSeconds time markers run to this and then in {@code [limit/2, limit)} again
 */
public record StreamSettings(
    double fps,
    long chunkMicros,
    long minPixels,
    long maxPixels,
    int visualRounds,
    int textRounds,
    boolean cutText,
    int textSink,
    int textWindow,
    int maxNewTokens,
    float temperature,
    float repetitionPenalty,
    int topK,
    float topP,
    long seed,
    String instruction,
    QueryPlacement queryPlacement,
    double markerLimitSeconds,
    long allowedLatenessMicros,
    long maxGapMicros,
    long maxClockJumpMicros,
    PrefillSettings prefill) {

  /** Where the standing text stands. */
  public enum QueryPlacement {
    /** It opens the content of {@code previous text}, so that the sink keeps it. */
    CONTEXT,
    /** After the video of the first user turn, the published behaviour; evicted with that turn. */
    FIRST_TURN
  }

  /** Grid points of a chunk. */
  public int framesPerChunk() {
    return (int) Math.rint(fps * chunkMicros / 1e6);
  }

  /** The same but for the standing text. */
  public StreamSettings withInstruction(String value) {
    return with(fps, chunkMicros, this, seed, value);
  }

  /** The same but for the seed of sampling. */
  public StreamSettings withSeed(long value) {
    return with(fps, chunkMicros, this, value, instruction);
  }

  /** The same on another chunk grid; itself when it has this one. */
  public StreamSettings withGrid(long micros, int frames) {
    if (micros == chunkMicros && frames == framesPerChunk()) {
      return this; // whose fps may have been written with other decimals
    }
    return with(frames * 1e6 / micros, micros, this, seed, instruction);
  }

  /**
   * The same but for the frame rate and for how tokens are chosen and prompts computed: all on
   * which no remembered row depends.
   */
  public StreamSettings withSamplingOf(StreamSettings other) {
    return with(other.fps, chunkMicros, other, other.seed, instruction);
  }

  private StreamSettings with(
      double newFps,
      long newChunkMicros,
      StreamSettings sampling,
      long newSeed,
      String newInstruction) {
    return new StreamSettings(
        newFps,
        newChunkMicros,
        minPixels,
        maxPixels,
        visualRounds,
        textRounds,
        cutText,
        textSink,
        textWindow,
        sampling.maxNewTokens,
        sampling.temperature,
        sampling.repetitionPenalty,
        sampling.topK,
        sampling.topP,
        newSeed,
        newInstruction,
        queryPlacement,
        markerLimitSeconds,
        allowedLatenessMicros,
        maxGapMicros,
        maxClockJumpMicros,
        sampling.prefill);
  }
}
