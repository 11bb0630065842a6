// SPDX-License-Identifier: Apache-2.0
package io.everwatch.operators.model;

import io.everwatch.kernels.Arena;
import io.everwatch.kernels.Backend;
import io.everwatch.kernels.DeviceBuffer;
import io.everwatch.kernels.Matrix;
import io.everwatch.kernels.PatchBatch;
import io.everwatch.kernels.PatchMaker;
import io.everwatch.kernels.PatchShape;
import io.everwatch.kernels.PlacedPicture;
import io.everwatch.kernels.StepSpace;
import io.everwatch.kernels.Vector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * From patches to rows of the language model's width (Qwen2.5-VL specification, section 7). Frame
 * pairs never see each other, so any clips may share a call: the rows of a clip are the same bits
 * alone and in any company. Shapes: P patches of all clips, C width, H heads, D head dim, F
 * feed-forward, G merge groups (P / 4), O width of the language model.
 *
 * <p>One thread at a time, that of the back end.
 */
public final class VisionTower {
  /** Of all norms; not in the configuration. */
  private static final float EPS = 1e-6f;

  // Ways of cutting the patches into segments.
  private static final int WINDOWS = 0;
  private static final int FRAMES = 1;

  /** Frame sizes whose layout is kept; cameras of a job have a few. */
  private static final int KEPT_LAYOUTS = 256;

  /** What a device may want to know of a segment, which has one patch at least. */
  private static final int SEGMENT_INTS = 8;

  private final Backend backend;
  private final VisionConfig config;
  private final Set<Integer> fullAttention;
  private final Matrix patchEmbed; // [C, 1176]
  private final Block[] blocks;
  private final Vector mergerNorm; // [C]
  private final Matrix mergerIn; // [4 C, 4 C]
  private final Vector mergerInBias;
  private final Matrix mergerOut; // [O, 4 C]
  private final Vector mergerOutBias;
  private final Map<Long, FrameLayout> layouts = new HashMap<>();

  private record Block(
      Vector norm1, // [C]
      Matrix qkv, // [3 C, C]
      Vector qkvBias,
      Matrix proj, // [C, C]
      Vector projBias,
      Vector norm2, // [C]
      Matrix gateUp, // [2 F, C]
      Vector gateUpBias,
      Matrix down, // [C, F]
      Vector downBias) {}

  /**
   * Lays out the tower's weights on the back end, which owns them.
   *
   * @param afterBlock called after each block
   */
  VisionTower(VisionConfig config, Weights weights, Backend backend, Runnable afterBlock) {
    this.backend = backend;
    this.config = config;
    this.fullAttention = new HashSet<>(config.fullAttentionBlocks());
    LayerWeights tower = new LayerWeights("visual.", weights, backend);
    this.patchEmbed = tower.matrix("patch_embed.proj");
    this.blocks = new Block[config.depth()];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = block(new LayerWeights("visual.blocks." + i + ".", weights, backend));
      afterBlock.run();
    }
    this.mergerNorm = tower.gain("merger.ln_q");
    this.mergerIn = tower.matrix("merger.mlp.0");
    this.mergerInBias = tower.bias("merger.mlp.0");
    this.mergerOut = tower.matrix("merger.mlp.2");
    this.mergerOutBias = tower.bias("merger.mlp.2");
  }

  private static Block block(LayerWeights at) {
    return new Block(
        at.gain("norm1"),
        at.matrix("attn.qkv"),
        at.bias("attn.qkv"),
        at.matrix("attn.proj"),
        at.bias("attn.proj"),
        at.gain("norm2"),
        at.matrix("mlp.gate_proj", "mlp.up_proj"),
        at.bias("mlp.gate_proj", "mlp.up_proj"),
        at.matrix("mlp.down_proj"),
        at.bias("mlp.down_proj"));
  }

  /**
   * What {@link #encode} takes from an arena at most. Where the device makes the patches, pictures
   * come with up to four times the pixels that are wanted ({@link FrameProcessor#pictures}), and
   * half as many again while their columns are done and their rows are not.
   *
   * @param patches P of all clips
   */
  public StepSpace space(int patches, int clips) {
    boolean pictures = backend.patchMaker().isPresent();
    return space(patches, clips, pictures ? 6L * patches * config.patchWidth() : 0);
  }

  /** What {@link #encode} takes from an arena for these clips. */
  public StepSpace space(List<? extends VisionClip> clips) {
    List<PlacedPicture> pictures = new ArrayList<>();
    for (VisionClip clip : clips) {
      if (clip instanceof ClipPictures decoded) {
        pictures.addAll(decoded.placed(0));
      }
    }
    long bytes = pictures.isEmpty() ? 0 : patchMaker().arenaBytes(pictures);
    return space(count(clips), clips.size(), bytes);
  }

  private StepSpace space(int patches, int clips, long pictureBytes) {
    long width = config.hiddenSize();
    long groups = patches / patchesPerGroup();
    long perPatch =
        2L * config.patchWidth() + 5 * width + 3L * config.intermediateSize(); // pixels come twice
    return new StepSpace(
        patches * perPatch + groups * config.mergedSize(),
        patches * width + 2 * groups * config.outHiddenSize(),
        // Angles, their sines and cosines; places; segments; what becomes patches.
        patches * (3L * config.headDim() / 2 + 2 + SEGMENT_INTS)
            + (pictureBytes + Integer.BYTES - 1) / Integer.BYTES,
        14 + 9 * clips);
  }

  /** Rows that {@link #encode} makes of a clip: one per merge group. */
  public int rows(VisionClip clip) {
    return clip.count() / patchesPerGroup();
  }

  /** Width of a row, that of the language model. */
  public int outWidth() {
    return config.outHiddenSize();
  }

  /**
   * Encodes clips of any sizes together.
   *
   * @return {@code [sum of rows(clip), O]} float32 in {@code arena}: clip after clip, frame pair
   *     after frame pair, merge groups row by row
   */
  public DeviceBuffer encode(List<? extends VisionClip> clips, Arena arena) {
    return encode(clips, arena, Trace.NONE);
  }

  /** As {@link #encode(List, Arena)}; {@code trace} sees the intermediate results. */
  public DeviceBuffer encode(List<? extends VisionClip> clips, Arena arena, Trace trace) {
    clips.forEach(this::check);
    TowerLayout layout = TowerLayout.of(clips, this::layout);
    int patches = count(clips);
    int width = config.hiddenSize();
    int feedForward = config.intermediateSize();

    PatchBatch batch =
        backend.patchBatch(
            layout.angles(),
            config.headDim(),
            List.of(layout.windows(), layout.frames()), // WINDOWS, FRAMES
            arena);
    DeviceBuffer pixels = pixels(clips, layout, patches, arena); // [P, 1176], window order
    DeviceBuffer x = arena.allocateF32(patches, width); // [P, C]
    backend.linear(pixels, patchEmbed, null, patches, x);
    trace.saw(Trace.Step.PATCH_EMBED, 0, x, patches, width);

    DeviceBuffer n = arena.allocate(patches, width); // [P, C]
    DeviceBuffer qkv = arena.allocate(patches, 3L * width); // [P, 3, H, D]
    DeviceBuffer attention = arena.allocate(patches, width); // [P, H D]
    DeviceBuffer gateUp = arena.allocate(patches, 2L * feedForward); // [P, 2 F]
    DeviceBuffer gated = arena.allocate(patches, feedForward); // [P, F]
    for (int i = 0; i < blocks.length; i++) {
      Block block = blocks[i];
      int segments = fullAttention.contains(i) ? FRAMES : WINDOWS;

      // x += proj(attention(norm1(x)))
      backend.rmsNorm(x, block.norm1(), EPS, patches, n);
      backend.linear(n, block.qkv(), block.qkvBias(), patches, qkv);
      backend.segmentAttention(qkv, batch, segments, config.numHeads(), attention);
      backend.linearAdd(attention, block.proj(), block.projBias(), patches, x);

      // x += down(silu(gate(norm2(x))) * up(norm2(x)))
      backend.rmsNorm(x, block.norm2(), EPS, patches, n);
      backend.linear(n, block.gateUp(), block.gateUpBias(), patches, gateUp);
      backend.swiGlu(gateUp, patches, feedForward, gated);
      backend.linearAdd(gated, block.down(), block.downBias(), patches, x);
      trace.saw(Trace.Step.BLOCK, i, x, patches, width);
    }

    // Four consecutive rows of the norm, one merge group, are one row of the merger.
    int groups = patches / patchesPerGroup();
    backend.rmsNorm(x, mergerNorm, EPS, patches, n); // [P, C] = [G, 4 C]
    DeviceBuffer hidden = arena.allocate(groups, config.mergedSize()); // [G, 4 C]
    backend.linear(n, mergerIn, mergerInBias, groups, hidden);
    backend.gelu(hidden, (long) groups * config.mergedSize());
    DeviceBuffer merged = arena.allocateF32(groups, config.outHiddenSize()); // [G, O], window order
    backend.linear(hidden, mergerOut, mergerOutBias, groups, merged);
    DeviceBuffer rows = arena.allocateF32(groups, config.outHiddenSize()); // [G, O]
    backend.scatter(merged, layout.order(), config.outHiddenSize(), rows);
    return rows;
  }

  /**
   * The numbers that {@link #encode(List, Arena)} begins with: the patches of all clips in window
   * order, so that nothing else need be moved.
   *
   * @return {@code [sum of clip.count(), 1176]} in {@code arena}
   */
  public DeviceBuffer pixels(List<? extends VisionClip> clips, Arena arena) {
    clips.forEach(this::check);
    return pixels(clips, TowerLayout.of(clips, this::layout), count(clips), arena);
  }

  private DeviceBuffer pixels(
      List<? extends VisionClip> clips, TowerLayout layout, int patches, Arena arena) {
    DeviceBuffer all = arena.allocate(patches, config.patchWidth());
    int[] places = layout.places(patchesPerGroup());
    List<PlacedPicture> pictures = new ArrayList<>();
    float[][] values = new float[0][];
    int first = 0;
    for (VisionClip clip : clips) {
      if (clip instanceof Patches made) {
        int[] own = Arrays.copyOfRange(places, first, first + clip.count());
        DeviceBuffer one = arena.allocate(clip.count(), config.patchWidth());
        backend.upload(made.rows(), 0, made.rows().length, one);
        backend.scatter(one, own, config.patchWidth(), all);
      } else if (clip instanceof ClipPictures decoded) {
        pictures.addAll(decoded.placed(first));
        values = decoded.values();
      }
      first += clip.count();
    }
    if (!pictures.isEmpty()) {
      patchMaker().patches(pictures, patchShape(values), arena, all);
    }
    return all;
  }

  private static int count(List<? extends VisionClip> clips) {
    return clips.stream().mapToInt(VisionClip::count).sum();
  }

  private PatchMaker patchMaker() {
    return backend
        .patchMaker()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "clips of decoded pictures for the back end '%s'; expected patches, it makes none of pictures"
                        .formatted(backend.name())));
  }

  private PatchShape patchShape(float[][] values) {
    return new PatchShape(
        config.patchSize(),
        config.spatialMergeSize(),
        config.temporalPatchSize(),
        config.windowGroups(),
        values);
  }

  private void check(VisionClip clip) {
    int merge = config.spatialMergeSize();
    boolean whole = clip.count() > 0 && clip.height() % merge == 0 && clip.width() % merge == 0;
    boolean filled =
        !(clip instanceof Patches made)
            || made.rows().length == (long) clip.count() * config.patchWidth();
    if (!whole || !filled) {
      throw new IllegalArgumentException(
          "a clip of %d bytes with grid %dx%dx%d; "
                  .formatted(clip.bytes(), clip.frames(), clip.height(), clip.width())
              + "expected height and width in multiples of %d and %d numbers per patch; "
                  .formatted(merge, config.patchWidth())
              + "was it made by another model's FrameProcessor?");
    }
  }

  private FrameLayout layout(int height, int width) {
    if (layouts.size() >= KEPT_LAYOUTS) {
      layouts.clear();
    }
    return layouts.computeIfAbsent(
        (long) height << 32 | width, size -> FrameLayout.of(height, width, config));
  }

  /** Patches that become one row of {@link #encode}. */
  public int patchesPerRow() {
    return patchesPerGroup();
  }

  private int patchesPerGroup() {
    return config.spatialMergeSize() * config.spatialMergeSize();
  }
}
