// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** The kernel families that a back end is made of, as one build of them. */
final class KernelBuild {
  /** All files of {@code src/main/cuda}, by name. */
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
          "segment_attention");

  private KernelBuild() {}

  /** Loads all of them now: a newer device compiles them then, and not in the first step. */
  static void load(CudaDevice device) {
    FAMILIES.forEach(family -> KernelModule.load(device, family));
  }

  /** Of what was compiled: 16 hex digits. Other kernels may give other bits. */
  static String digest(KernelImages images) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (String family : FAMILIES) {
        sha.update(family.getBytes(StandardCharsets.UTF_8));
        sha.update(images.image(family));
      }
      return HexFormat.of().formatHex(sha.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
