// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The kernel families that a back end is made of, as one build of them. */
final class KernelBuild {
  /** The files of {@code src/main/cuda} that run everywhere. */
  static final List<String> FAMILIES =
      List.of(
          "attention_decode",
          "attention_plain",
          "attention_prefill",
          "elementwise",
          "linear_decode",
          "linear_f32",
          "linear_prefill",
          "pictures",
          "random_weights",
          "relayout",
          "rope",
          "rows",
          "sampling",
          "segment_attention",
          "sparse_attention",
          "sparse_pool",
          "sparse_probe",
          "sparse_rows",
          "sparse_select");

  /** Those of compute capability 9.0 alone. */
  static final List<String> HOPPER = List.of("linear_prefill_sm90a");

  private KernelBuild() {}

  /** What a jar must have to run on any device. */
  static List<String> everything() {
    List<String> families = new ArrayList<>(FAMILIES);
    families.addAll(HOPPER);
    return families;
  }

  private static List<String> of(CudaDevice device) {
    List<String> families = new ArrayList<>(FAMILIES);
    if (device.hasWgmma()) {
      families.addAll(HOPPER);
    }
    return families;
  }

  /** Loads all of them now: a newer device compiles them then, and not in the first step. */
  static void load(CudaDevice device) {
    of(device).forEach(family -> KernelModule.load(device, family));
  }

  /** Of what was compiled: 16 hex digits. Other kernels may give other bits. */
  static String digest(CudaDevice device, KernelImages images) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (String family : of(device)) {
        sha.update(family.getBytes(StandardCharsets.UTF_8));
        sha.update(images.image(family));
      }
      return HexFormat.of().formatHex(sha.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
