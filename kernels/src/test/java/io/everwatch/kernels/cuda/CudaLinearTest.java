// SPDX-License-Identifier: Apache-2.0
package io.everwatch.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.everwatch.kernels.DType;
import io.everwatch.kernels.cuda.CudaLinear.Phase;
import io.everwatch.kernels.cuda.Products.Output;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Products of all families against sums in double, and what a row's bits depend on. */
@RequiresDevice
class CudaLinearTest {
  private static final long SEED = 20251121;

  static Stream<Arguments> familiesAndShapes() {
    int[][] shapes = { // tokens, rows, columns
      {1, 128, 64}, // one tile
      {7, 74, 200}, // ragged in all directions
      {33, 130, 108}, // rows of x aligned to 8 bytes
      {67, 17, 77}, // to nothing
      {9, 3, 5}, // most parts of K are empty
      {130, 257, 328}
    };
    return Arrays.stream(ProductFamily.values())
        .flatMap(f -> Arrays.stream(shapes).map(s -> Arguments.of(f, s[0], s[1], s[2])));
  }

  @ParameterizedTest(name = "{0} [{1}, {3}] x [{2}, {3}]")
  @MethodSource("familiesAndShapes")
  void matchesTheSumInDoubleInEveryOrder(ProductFamily family, int tokens, int rows, int columns) {
    ProductCase product = ProductCase.gaussian(SEED, family.type(), tokens, rows, columns);
    float[] y = EveryOrder.run(d -> product.run(family.on(d), d, Output.F32, true));
    product.assertClose(y, Output.F32, true);
    if (family.usesWgmma() && Emulation.isPresent()) {
      Emulation.set("wgmma=early"); // beside copies that land when they are waited for
      EveryOrder.assertSameBits(y, run(family, product), "wgmma early");
    }
  }

  @ParameterizedTest
  @EnumSource
  void computesEveryTileOfManyRows(ProductFamily family) {
    ProductCase product = ProductCase.gaussian(SEED, family.type(), 2100, 260, 8);
    product.assertClose(run(family, product), Output.F32, true);
  }

  static Stream<Arguments> familiesAndOutputs() {
    return Arrays.stream(ProductFamily.values())
        .flatMap(
            f ->
                Arrays.stream(Output.values())
                    .filter(o -> f.type() != DType.F32 || o != Output.BF16)
                    .map(o -> Arguments.of(f, o)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("familiesAndOutputs")
  void storesRoundsOrAddsWithAndWithoutBias(ProductFamily family, Output output) {
    for (int rows : new int[] {36, 37}) { // stored by fours, and one by one
      ProductCase product = ProductCase.gaussian(SEED, family.type(), 19, rows, 72);
      float[] biased = EveryOrder.run(d -> product.run(family.on(d), d, output, true));
      product.assertClose(biased, output, true);
      float[] bare = EveryOrder.once(d -> product.run(family.on(d), d, output, false));
      product.assertClose(bare, output, false);
    }
  }

  @ParameterizedTest
  @EnumSource
  void bitsOfARowDoNotDependOnTheOthers(ProductFamily family) {
    int rows = 140;
    ProductCase all = ProductCase.gaussian(SEED, family.type(), 301, rows, 200);
    float[] expected = run(family, all);
    // Alone, among 1, 7, 63 others and in every bucket of a decode step, at two places.
    for (int size : new int[] {1, 2, 4, 8, 16, 32, 64, 128}) {
      for (int first : new int[] {0, all.tokens() - size}) {
        EveryOrder.assertSameBits(
            Arrays.copyOfRange(expected, first * rows, (first + size) * rows),
            run(family, all.withTokens(first, first + size)),
            "seed %d, tokens %d to %d".formatted(SEED, first, first + size));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowsOfNanSpoilNoOthers(ProductFamily family) {
    ProductCase product = ProductCase.gaussian(SEED, family.type(), 5, 40, 136);
    float[] padded = Arrays.copyOf(product.x(), 8 * 136);
    Arrays.fill(padded, 5 * 136, 8 * 136, Float.NaN);
    EveryOrder.assertSameBits(
        run(family, product),
        Arrays.copyOf(run(family, product.withX(padded)), 5 * 40),
        "padded to 8 rows");
  }

  @Test
  void tilesOfAnySizeGiveTheSameBits() {
    ProductCase product = ProductCase.gaussian(SEED, DType.BF16, 150, 140, 200);
    float[] low = run(ProductFamily.PREFILL_LOW_TILES, product);
    EveryOrder.assertSameBits(low, run(ProductFamily.PREFILL_HIGH_TILES, product), "high tiles");
    float[] narrow = run(ProductFamily.HOPPER_TILES_OF_128, product);
    EveryOrder.assertSameBits(narrow, run(ProductFamily.HOPPER_TILES_OF_192, product), "192 rows");
    EveryOrder.assertSameBits(narrow, run(ProductFamily.HOPPER_TILES_OF_256, product), "256 rows");
  }

  @Test
  void wgmmaAgreesWithMma() {
    ProductCase product = ProductCase.gaussian(SEED, DType.BF16, 150, 140, 200);
    float[] mma = run(ProductFamily.PREFILL_HIGH_TILES, product);
    float[] wgmma = run(ProductFamily.HOPPER_TILES_OF_256, product);
    product.assertClose(wgmma, Output.F32, true);
    if (Emulation.isPresent()) { // where both add in order of k
      EveryOrder.assertSameBits(mma, wgmma, "wgmma");
    }
  }

  @Test
  void sharedMemoryOfTheDeviceChangesNoBit() {
    ProductCase product = ProductCase.gaussian(SEED, DType.BF16, 64, 40, 600);
    for (int threshold : new int[] {1, 1000}) {
      float[] expected =
          EveryOrder.once(
              d -> product.run(new DecodeProducts(d, 227 << 10, threshold), d, Output.F32, true));
      for (int kibibytes : new int[] {72, 99, 163}) {
        float[] y =
            EveryOrder.once(
                d ->
                    product.run(
                        new DecodeProducts(d, kibibytes << 10, threshold), d, Output.F32, true));
        EveryOrder.assertSameBits(expected, y, kibibytes + " KiB");
      }
    }
  }

  @Test
  void refusesADeviceWithTooLittleSharedMemory() {
    EveryOrder.once(
        device -> {
          assertThatIllegalArgumentException()
              .isThrownBy(() -> new DecodeProducts(device, 48 << 10, 1000))
              .withMessageContaining("49,152 bytes")
              .withMessageContaining("compute capability 8.0");
          return new float[0];
        });
  }

  @Test
  void choosesTheFamilyByPhaseAndType() {
    ProductCase bf16 = ProductCase.gaussian(SEED, DType.BF16, 3, 20, 600);
    float[] prefill = run(ProductFamily.PREFILL_LOW_TILES, bf16);
    float[] decode = run(ProductFamily.DECODE_IN_FOUR_PARTS, bf16);
    assertThat(decode).as("parts of K show in the bits").isNotEqualTo(prefill);
    EveryOrder.assertSameBits(prefill, multiply(bf16, Phase.PREFILL), "prefill");
    EveryOrder.assertSameBits(decode, multiply(bf16, Phase.DECODE), "decode");
    ProductCase f32 = ProductCase.gaussian(SEED, DType.F32, 3, 20, 600);
    float[] plain = run(ProductFamily.PLAIN, f32);
    EveryOrder.assertSameBits(plain, multiply(f32, Phase.PREFILL), "plain prefill");
    EveryOrder.assertSameBits(plain, multiply(f32, Phase.DECODE), "plain decode");
  }

  @Test
  void namesWhatDecidesTheBits() {
    EveryOrder.once(
        device -> {
          assertThat(new CudaLinear(device, DType.F32, false).numerics())
              .isEqualTo(
                  "F32 products: prefill f32 fma in order of k; decode f32 fma in order of k");
          assertThat(new CudaLinear(device, DType.BF16, false).numerics())
              .isEqualTo(
                  "BF16 products: prefill mma.sync in order of k;"
                      + " decode mma.sync, k in 4 parts, 2 from 16384 outputs");
          return new float[0];
        });
  }

  @Test
  @EnabledOnEmulation
  void takesWgmmaOnComputeCapability90Alone() {
    for (int capability : new int[] {80, 89, 90, 100}) {
      Emulation.set("capability=" + capability);
      String numerics = numerics(DType.BF16);
      assertThat(numerics.contains("prefill wgmma")).as(numerics).isEqualTo(capability == 90);
      assertThat(numerics).contains("decode mma.sync");
    }
  }

  private static String numerics(DType activation) {
    try (CudaDevice device = CudaDevice.open(0)) {
      return new CudaLinear(device, activation).numerics();
    }
  }

  @ParameterizedTest(name = "[{0}, {1}] on 132 multiprocessors")
  @CsvSource({
    "300, 4608, linear_prefill_sm90a_128_f32 grid (108", // 3 x 36 tiles in one round
    "512, 4608, linear_prefill_sm90a_192_f32 grid (96", // 4 x 24; of 128 there would be two rounds
    "512, 3584, linear_prefill_sm90a_128_f32 grid (112",
    "512, 37888, linear_prefill_sm90a_192_f32 grid (132", // 6.0 rounds
    "8192, 3584, linear_prefill_sm90a_256_f32 grid (132"
  })
  @EnabledOnEmulation
  void hopperTilesFillTheDevice(int tokens, int rows, String launch) {
    Emulation.set("null=1"); // nothing is computed
    EveryOrder.once(
        device -> {
          try (CudaStream stream = CudaStream.open(device)) {
            CudaMatrix w = new CudaMatrix("w", rows, 3584, DType.BF16, 256);
            new HopperProducts(device, 132).launch(stream, 256, w, 0, tokens, Output.F32, 256);
            assertThat(device.launches().describe()).contains(launch);
            return new float[0];
          }
        });
  }

  @Test
  void refusesWhatTheKernelsCannotCompute() {
    EveryOrder.once(
        device -> {
          try (CudaStream stream = CudaStream.open(device);
              DeviceArrays arrays = new DeviceArrays(device)) {
            CudaLinear linear = new CudaLinear(device, DType.BF16);
            long x = arrays.bytes(4096);
            long y = arrays.bytes(4096);
            long images = arrays.bytes(CudaMatrix.bytes(8, 16, DType.BF16));
            CudaMatrix w = new CudaMatrix("layers.3.down", 8, 16, DType.BF16, images);
            CudaMatrix f32 = new CudaMatrix("layers.3.up", 8, 16, DType.F32, images);
            refused(() -> linear.multiply(stream, Phase.DECODE, x, w, 0, -1, Output.F32, y))
                .withMessageContaining("-1 tokens for weights layers.3.down");
            refused(() -> linear.multiply(stream, Phase.DECODE, x, f32, 0, 1, Output.F32, y))
                .withMessageContaining("weights layers.3.up of type F32")
                .withMessageContaining("expected BF16");
            refused(() -> linear.multiply(stream, Phase.DECODE, x + 2, w, 0, 1, Output.F32, y))
                .withMessageContaining("aligned to 16 bytes");
            refused(() -> linear.multiply(stream, Phase.DECODE, x, w, 0, 9, Output.BF16, x + 272))
                .withMessageContaining("overlap");
            linear.multiply(stream, Phase.DECODE, x, w, 0, 0, Output.F32, x); // nothing to do
            CudaLinear plain = new CudaLinear(device, DType.F32);
            refused(() -> plain.multiply(stream, Phase.PREFILL, x, f32, 0, 1, Output.BF16, y))
                .withMessageContaining("no bf16 output");
            return new float[0];
          }
        });
  }

  private static org.assertj.core.api.ThrowableAssertAlternative<IllegalArgumentException> refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return assertThatIllegalArgumentException().isThrownBy(call);
  }

  private static float[] run(ProductFamily family, ProductCase product) {
    return EveryOrder.once(d -> product.run(family.on(d), d, Output.F32, true));
  }

  private static float[] multiply(ProductCase product, Phase phase) {
    return EveryOrder.once(
        device -> {
          CudaLinear linear = new CudaLinear(device, product.type(), false);
          return product.run(linear.products(phase), device, Output.F32, true);
        });
  }
}
