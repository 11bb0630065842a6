// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.Backend;

/**
 * One checkpoint on one device: everything from text and pictures to logits. The weights belong to
 * the back end and are freed with it; a model itself holds nothing that must be closed.
 *
 * @param folder where it came from
 */
public record Model(
    ModelFolder folder,
    ModelConfig config,
    Tokenizer tokenizer,
    ChatGrammar grammar,
    FrameProcessor processor,
    VisionTower tower,
    Decoder decoder) {

  /** Hears how far loading is. */
  @FunctionalInterface
  public interface Progress {
    /** Hears nothing. */
    Progress NONE = (done, total) -> {};

    /**
     * Called after each step.
     *
     * @param done blocks and layers laid out so far, of {@code total}
     */
    void at(int done, int total);
  }

  /** As {@link #load(ModelFolder, Backend, Progress)}, silently. */
  public static Model load(ModelFolder folder, Backend backend) {
    return load(folder, backend, Progress.NONE);
  }

  /**
   * Reads a checkpoint and lays out its weights on {@code backend}.
   *
   * @throws BadModelException naming everything that is wrong with a file of the folder
   * @throws io.everwatch.kernels.DeviceException when the device has no room for the weights
   */
  public static Model load(ModelFolder folder, Backend backend, Progress progress) {
    ModelConfig config = ModelConfig.read(folder);
    Tokenizer tokenizer = Tokenizer.open(folder);
    FrameProcessor processor = FrameProcessor.of(folder, config);
    Weights weights = Weights.open(folder, config);
    int total = config.vision().depth() + config.text().numLayers();
    int[] done = {0};
    Runnable step = () -> progress.at(++done[0], total);
    return new Model(
        folder,
        config,
        tokenizer,
        ChatGrammar.open(folder, config, tokenizer),
        processor,
        new VisionTower(config.vision(), weights, backend, step),
        new Decoder(config.text(), weights, backend, step));
  }
}
