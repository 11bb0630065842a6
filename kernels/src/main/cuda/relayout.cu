// SPDX-License-Identifier: Apache-2.0
// relayout.cu: rounds rows of a weight matrix to bf16 and lays them into the tile images of common/linear.cuh, once,
// when the model is loaded.
//
// Launch contract (CudaWeights checks it; the kernel does not)
//   grid    (ceil(rows * ceil(K / 64) * 8 / 256)); block 256 threads, eight elements each
//   piece   [rows, K] float32, row-major: rows first ... first + rows - 1 of the matrix
//   images  16-byte aligned; columns from K on become zero, rows outside the piece stay as they are
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: rounds to nearest, ties to even.
// Limit: memory; reads and writes are runs of 128 bytes or more.
#include "common/linear.cuh"

EW_KERNEL void __launch_bounds__(256) relayout(const float* __restrict__ piece, unsigned char* __restrict__ images,
                                               int first, int rows, int columns) {
  const int tiles = ceil_div(columns, TILE_COLUMNS);
  const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x, line = at / 8, row = line / tiles;
  const int chunk = at % 8, tile = line % tiles;
  if (row >= (size_t)rows) return;
  uint32_t word[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int k = tile * TILE_COLUMNS + chunk * 8 + 2 * i;
    const float* from = piece + row * columns + k;
    word[i] = pack_bf16(k < columns ? from[0] : 0.f, k + 1 < columns ? from[1] : 0.f);
  }
  const size_t n = first + row;
  unsigned char* const image = images + (n / TILE_ROWS * tiles + tile) * TILE_BYTES;
  *reinterpret_cast<uint4*>(image + chunk_offset((int)(n % TILE_ROWS), chunk)) =
      make_uint4(word[0], word[1], word[2], word[3]);
}
EW_EXPORT(relayout)
