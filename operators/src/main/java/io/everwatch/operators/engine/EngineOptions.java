// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.engine;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.DeviceName;
import java.io.Serializable;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How an engine is opened. Equal options on one device mean the same engine in {@link
 * Engines#shared}.
 *
 * @param model name of a shipped model, or the path of a model folder
 * @param device what computes; {@code auto} is decided where the engine is opened
 * @param threads threads of the back end; results do not depend on it
 * @param plainProducts use the plain Java product only, the reference (CPU)
 * @param workers threads that decode and prepare frames
 * @param pictureBytes memory for prepared pictures of rounds that wait or are under way; one round
 *     is always let in, and each worker decodes up to three pictures beside
 * @param dtype type of weights, activations and cached rows; null: the device's own choice
 * @param kvBytes memory for cached rows; decides how many streams fit; 0: on a GPU what it has left
 *     beside weights and step memory, on the CPU 256 MiB or half of the heap
 * @param batchRounds rounds that may take a step together; 0: as {@link #roundsPerStep} says
 * @param batchRows prompt rows of one step, of which a long prompt takes one piece at a time; one
 *     round is always let in, however long its piece
 * @param queueRounds rounds of one seat that may be under way or waiting
 * @param closeTimeout how long {@code close} waits for the running step
 * @param stepTimeout after so long a step counts as hung and the process ends; zero: never
 * @param tuningProfile file of what was measured of the device, {@code everwatch tune} writes it;
 *     null: none
 * @param nativePositions rows keep the positions at which they entered, a baseline of the paper for
 *     ablations: such a memory cannot be restored
 * @param overrides settings of the model that the job sets otherwise, e.g. {@code textWindow}
 */
public record EngineOptions(
    String model,
    DeviceName device,
    @Nullable DType dtype,
    int threads,
    boolean plainProducts,
    int workers,
    long pictureBytes,
    long kvBytes,
    int batchRounds,
    int batchRows,
    int queueRounds,
    Duration closeTimeout,
    Duration stepTimeout,
    @Nullable String tuningProfile,
    boolean nativePositions,
    Map<String, String> overrides)
    implements Serializable {
  public EngineOptions {
    requirePositive("threads", threads);
    requirePositive("workers", workers);
    requirePositive("pictureBytes", pictureBytes);
    if (kvBytes < 0) {
      throw new IllegalArgumentException(
          "kvBytes must be a number of bytes, or 0 for what the device has left, but is "
              + kvBytes);
    }
    if (batchRounds < 0) {
      throw new IllegalArgumentException(
          "batchRounds must be a number of rounds, or 0 for what suits the device, but is "
              + batchRounds);
    }
    requirePositive("batchRows", batchRows);
    requirePositive("queueRounds", queueRounds);
    if (stepTimeout.isNegative()) {
      throw new IllegalArgumentException(
          "stepTimeout must not be negative, but is " + stepTimeout + "; zero turns it off");
    }
    overrides = Map.copyOf(overrides);
  }

  /** The CPU back end on all cores. */
  public static EngineOptions of(String model) {
    return builder(model).build();
  }

  /** Everything but the model has a default. */
  public static Builder builder(String model) {
    return new Builder(model);
  }

  /** These options, to change some. */
  public Builder toBuilder() {
    Builder builder = new Builder(model);
    builder.device = device;
    builder.dtype = dtype;
    builder.threads = threads;
    builder.plainProducts = plainProducts;
    builder.workers = workers;
    builder.pictureBytes = pictureBytes;
    builder.kvBytes = kvBytes;
    builder.batchRounds = batchRounds;
    builder.batchRows = batchRows;
    builder.queueRounds = queueRounds;
    builder.closeTimeout = closeTimeout;
    builder.stepTimeout = stepTimeout;
    builder.tuningProfile = tuningProfile;
    builder.nativePositions = nativePositions;
    builder.overrides = overrides;
    return builder;
  }

  /**
   * Rounds that may take a step together. More of them share the reading of the weights, of which a
   * GPU gains most; but each takes longer, and its chunk is chosen earlier.
   */
  int roundsPerStep() {
    return batchRounds > 0 ? batchRounds : device.equals(DeviceName.CPU) ? 16 : 64;
  }

  private static void requirePositive(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, but is " + value);
    }
  }

  /** Collects options; each method is the component of its name. */
  public static final class Builder {
    private final String model;
    private DeviceName device = DeviceName.CPU;
    private @Nullable DType dtype;
    private int threads = cores();
    private boolean plainProducts = false;
    private int workers = Math.max(1, cores() / 2);
    private long pictureBytes = 1L << 30;
    private long kvBytes = 0;
    private int batchRounds = 0;
    private int batchRows = 8192;
    private int queueRounds = 1024;
    private Duration closeTimeout = Duration.ofSeconds(30);
    private Duration stepTimeout = Duration.ofMinutes(5);
    private @Nullable String tuningProfile;
    private boolean nativePositions;
    private Map<String, String> overrides = Map.of();

    private Builder(String model) {
      this.model = model;
    }

    public Builder device(DeviceName value) {
      device = value;
      return this;
    }

    /** As {@link DeviceName#parse} reads it. */
    public Builder device(String value) {
      return device(DeviceName.parse(value));
    }

    /** Null: the device's own choice. */
    public Builder dtype(@Nullable DType value) {
      dtype = value;
      return this;
    }

    public Builder threads(int value) {
      threads = value;
      return this;
    }

    public Builder plainProducts(boolean value) {
      plainProducts = value;
      return this;
    }

    public Builder workers(int value) {
      workers = value;
      return this;
    }

    public Builder pictureBytes(long value) {
      pictureBytes = value;
      return this;
    }

    public Builder kvBytes(long value) {
      kvBytes = value;
      return this;
    }

    public Builder batchRounds(int value) {
      batchRounds = value;
      return this;
    }

    public Builder batchRows(int value) {
      batchRows = value;
      return this;
    }

    public Builder queueRounds(int value) {
      queueRounds = value;
      return this;
    }

    public Builder closeTimeout(Duration value) {
      closeTimeout = value;
      return this;
    }

    public Builder stepTimeout(Duration value) {
      stepTimeout = value;
      return this;
    }

    /** Null: none. */
    public Builder tuningProfile(@Nullable String value) {
      tuningProfile = value;
      return this;
    }

    public Builder nativePositions(boolean value) {
      nativePositions = value;
      return this;
    }

    public Builder overrides(Map<String, String> value) {
      overrides = value;
      return this;
    }

    public EngineOptions build() {
      return new EngineOptions(
          model,
          device,
          dtype,
          threads,
          plainProducts,
          workers,
          pictureBytes,
          kvBytes,
          batchRounds,
          batchRows,
          queueRounds,
          closeTimeout,
          stepTimeout,
          tuningProfile,
          nativePositions,
          overrides);
    }

    private static int cores() {
      return Runtime.getRuntime().availableProcessors();
    }
  }
}
