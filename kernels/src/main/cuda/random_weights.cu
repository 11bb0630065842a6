// SPDX-License-Identifier: Apache-2.0
// Fills weights from a seed, bit for bit as io.everwatch.kernels.SeededTensor (SplitMix64, Steele et
// al. 2014): so that a model of a published shape starts in seconds where its weights are not.
//
// Launch contract (CudaRandomWeights checks it; the kernels do not)
//   block   any; a thread makes one element of A, or eight of a tile image
//   order   caller's cudaStream
// Numerics: one rounding each of product and sum in f32, never fused; bf16 rounds that once more.
// Limit: integer multiplications, three of 64 bits per element; 15 GB take about a second.
#include "common/activation.cuh"

__device__ __forceinline__ float seeded(
    unsigned long long seed, unsigned long long index, float offset, float scale) {
  unsigned long long z = seed + (index + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  z ^= z >> 31;
  const float unit = (float)((int)(z >> 40) - (1 << 23)) * 0x1p-23f;
  return __fadd_rn(offset, __fmul_rn(scale, unit));
}

// out[i] = value i, i < count.  grid (ceil(count / block))
template <class A>
__device__ __forceinline__ void fill_seeded(
    A* out, unsigned long long seed, unsigned long long count, float offset, float scale) {
  const unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) out[i] = narrow<A>(seeded(seed, i, offset, scale));
}

EW_KERNEL void fill_seeded_bf16(
    bf16* out, unsigned long long seed, unsigned long long count, float offset, float scale) {
  fill_seeded(out, seed, count, offset, scale);
}
EW_EXPORT(fill_seeded_bf16)

EW_KERNEL void fill_seeded_f32(
    float* out, unsigned long long seed, unsigned long long count, float offset, float scale) {
  fill_seeded(out, seed, count, offset, scale);
}
EW_EXPORT(fill_seeded_f32)

// A tensor [rows, columns] as rows [first, first + rows) of tile images
// [N/128][K/64][128 rows][8 chunks of 8], chunk j of row r at j ^ (r & 7); columns beyond are zero.
//   grid (rows, ceil(tiles * 8 / block)), tiles = ceil(columns / 64)
EW_KERNEL void fill_seeded_tiles(
    bf16* image, unsigned long long seed, int first, int columns, int tiles, float offset,
    float scale) {
  const int chunk = blockIdx.y * blockDim.x + threadIdx.x;
  if (chunk >= tiles * 8) return;
  const int row = first + (int)blockIdx.x, inside = row & 127, tile = chunk >> 3;
  const unsigned long long from = (unsigned long long)blockIdx.x * columns;
  float v[8];
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const int column = chunk * 8 + i;
    v[i] = column < columns ? seeded(seed, from + column, offset, scale) : 0.f;
  }
  const size_t at = ((size_t)(row >> 7) * tiles + tile) * 128 + inside;
  *reinterpret_cast<uint4*>(image + (at * 8 + ((chunk & 7) ^ (inside & 7))) * 8) = make_uint4(
      pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3]), pack_bf16(v[4], v[5]), pack_bf16(v[6], v[7]));
}
EW_EXPORT(fill_seeded_tiles)
