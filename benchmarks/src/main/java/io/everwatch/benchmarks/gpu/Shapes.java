// SPDX-License-Identifier: Apache-2.0
package io.everwatch.benchmarks.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is timed: shapes of Qwen2.5-VL-7B and the loads of the goals, or tiny ones of the same form
 * that only show that all of it runs. The names of the items are keys: the peer's items are named
 * alike.
 *
 * @param products of the decoder and the vision tower
 * @param tokens M of each product
 * @param decoder whose attention is timed
 * @param sparse prefills that may choose what they attend to
 * @param vision tower's attention
 * @param copyBytes of the buffer whose copy gives the device's bandwidth
 * @param load of the whole engine
 */
record Shapes(
    String name,
    List<Product> products,
    List<Integer> tokens,
    Decoder decoder,
    Sparse sparse,
    Vision vision,
    long copyBytes,
    Load load) {

  /** {@code y [M, n] = x [M, k] w^T}. */
  record Product(String name, int n, int k) {
    String item(int m) {
      return "%s M=%d".formatted(name, m);
    }

    long bytes() {
      return 2L * n * k;
    }
  }

  /**
   * Attention of one decoder layer.
   *
   * @param past rows that each stream remembers
   * @param added rows of a chunk
   * @param streams in a batched decode step
   */
  record Decoder(int heads, int kvHeads, int headDim, int past, int added, int streams) {
    String prefillItem() {
      return "prefill %d over %d".formatted(added, past);
    }

    String decodeItem(int of) {
      return "decode %d x %d".formatted(of, past);
    }
  }

  /**
   * The last rows of a long prompt, in the heads of the decoder.
   *
   * @param added rows of a piece
   * @param keys rows of the context, the piece's included, one item each
   * @param block rows of a block that is chosen
   * @param minBudget tokens
   */
  record Sparse(int added, List<Integer> keys, int block, int minBudget) {
    String item(int of) {
      return "sparse %d of %d".formatted(added, of);
    }
  }

  /**
   * Attention of one layer of the vision tower over one pair of frames.
   *
   * @param width patches of a row
   * @param height rows of patches
   * @param window side of a window in patches
   */
  record Vision(int heads, int headDim, int width, int height, int window) {
    static final String FULL = "vision full";
    static final String WINDOWED = "vision windows";

    int patches() {
      return width * height;
    }

    /** Patches of each window, those at the right and lower edge are smaller. */
    int[] windows() {
      List<Integer> lengths = new ArrayList<>();
      for (int y = 0; y < height; y += window) {
        for (int x = 0; x < width; x += window) {
          lengths.add(Math.min(window, height - y) * Math.min(window, width - x));
        }
      }
      return lengths.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  /**
   * The whole engine.
   *
   * @param models the first one is that of the goals
   * @param alone one stream on its own
   * @param many streams at one chunk a second each
   * @param streams how many
   * @param seconds for which they are held, after the warm-up
   * @param kvBytes for cached rows
   * @param warmUp rounds of each stream before anything is measured
   */
  record Load(
      List<String> models,
      Turn alone,
      Turn many,
      int streams,
      int seconds,
      long kvBytes,
      int warmUp) {}

  /**
   * One second of video.
   *
   * @param width of a picture in pixels; the vision tower makes a row of 28 x 28 of them and a pair
   * @param answer tokens
   */
  record Turn(int width, int height, int answer) {}

  static Shapes of(String name) {
    return switch (name) {
      case "full" -> full();
      case "tiny" -> tiny();
      default ->
          throw new IllegalArgumentException(
              "there are no sizes '%s'; expected full or tiny".formatted(name));
    };
  }

  private static Shapes full() {
    return new Shapes(
        "full",
        List.of(
            new Product("qkv", 4608, 3584),
            new Product("attention out", 3584, 3584),
            new Product("gate and up", 37888, 3584),
            new Product("down", 3584, 18944),
            new Product("vision qkv", 3840, 1280),
            new Product("vision gate and up", 6840, 1280),
            new Product("vision down", 1280, 3420)),
        List.of(512, 1024, 2048, 4096, 8192),
        new Decoder(28, 4, 128, 5800, 300, 64),
        new Sparse(2048, List.of(8192, 16384, 32768, 65536, 131072), 128, 1024),
        new Vision(16, 80, 92, 52, 8),
        4L << 30,
        new Load(
            List.of("random:qwen2.5-vl-7b", "random:qwen2.5-vl-3b"),
            new Turn(640, 360, 15), // 299 rows of vision
            new Turn(448, 448, 20), // 256
            64,
            60,
            48L << 30,
            24));
  }

  private static Shapes tiny() {
    return new Shapes(
        "tiny",
        List.of(new Product("gate and up", 192, 64), new Product("vision down", 40, 72)),
        List.of(3, 70),
        new Decoder(4, 2, 32, 70, 5, 3),
        new Sparse(70, List.of(200), 32, 32),
        new Vision(2, 16, 6, 5, 4),
        1L << 16,
        new Load(
            List.of("random:qwen2.5-vl-tiny"),
            new Turn(112, 112, 2),
            new Turn(112, 112, 2),
            2,
            2,
            24L << 20,
            1));
  }

  /** For the peer: what it times, under the same names. */
  Map<String, Object> forPeer() {
    List<Map<String, Object>> gemm = new ArrayList<>();
    for (Product product : products) {
      for (int m : tokens) {
        gemm.add(Map.of("item", product.item(m), "m", m, "n", product.n(), "k", product.k()));
      }
    }
    Map<String, Object> peer = new LinkedHashMap<>();
    peer.put("name", name);
    peer.put("copyBytes", copyBytes);
    peer.put("gemm", gemm);
    peer.put("prefill", decoder.prefillItem());
    peer.put("decoder", decoder);
    peer.put(
        "sparse",
        sparse.keys().stream()
            .map(
                n ->
                    Map.of(
                        "item", sparse.item(n),
                        "heads", decoder.heads(),
                        "kvHeads", decoder.kvHeads(),
                        "headDim", decoder.headDim(),
                        "past", n - sparse.added(),
                        "added", sparse.added()))
            .toList());
    peer.put("vision", vision);
    peer.put("visionFull", Vision.FULL);
    peer.put("visionWindows", Vision.WINDOWED);
    peer.put("load", load);
    return peer;
  }
}
