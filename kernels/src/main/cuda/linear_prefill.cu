// SPDX-License-Identifier: Apache-2.0
// linear_prefill.cu: products of many rows, y = x w^T + bias, by mma.sync; see common/linear.cuh for the operands.
// A tile of TOKENS x 128 outputs per block of eight warps, K in steps of 64 through a cp.async ring. Each output is one
// accumulator over k in order: its bits do not depend on T, on the tile's place or on TOKENS.
//
// Launch contract (CudaLinear checks it; the kernel does not)
//   grid    (ceil(T / TOKENS) * ceil(N / 128))        one block per tile, see `Tiles`
//   block   256 threads
//   shared  STAGES * (TOKENS + 128) * 128 bytes dynamic
//   x [T, K] bf16, 16-byte aligned; weights in tile images; bias [N] f32 or null; out [T, N], 16-byte aligned, overlaps
//   nothing
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: products and sums in f32; one rounding, to bf16, at the store.
// Limit: tensor cores. 2 T N K operations.
#include "common/linear_tiles.cuh"

constexpr int STAGES = 3;  // two steps of 64 under way while one is multiplied; 96 KB: two blocks on 9.0, one on 8.x
constexpr int THREADS = 256;

// Eight warps as 2 x 4; a warp has SLICES x 16 tokens and 32 outputs.
template <int SLICES>
__device__ __forceinline__ void multiply_stage(float (&acc)[SLICES][4][4], const unsigned char* x,
                                               const unsigned char* w, int token, int row, int lane) {
#pragma unroll
  for (int kk = 0; kk < TILE_COLUMNS / 16; kk++) {
    uint32_t a[SLICES][4], b[4][2];
#pragma unroll
    for (int i = 0; i < SLICES; i++)
      ldmatrix_x4(a[i], x + chunk_offset(token + i * 16 + (lane & 15), kk * 2 + (lane >> 4)));
#pragma unroll
    for (int j = 0; j < 2; j++) {
      uint32_t r[4];
      ldmatrix_x4(r, w + chunk_offset(row + j * 16 + (lane & 7) + (lane >> 4) * 8, kk * 2 + (lane >> 3 & 1)));
      b[2 * j][0] = r[0];
      b[2 * j][1] = r[1];
      b[2 * j + 1][0] = r[2];
      b[2 * j + 1][1] = r[3];
    }
#pragma unroll
    for (int i = 0; i < SLICES; i++)
#pragma unroll
      for (int j = 0; j < 4; j++) mma_bf16(acc[i][j], a[i], b[j]);
  }
}

template <int TOKENS, Output O>
__device__ __forceinline__ void linear_prefill(const bf16* __restrict__ x, const bf16* __restrict__ weights,
                                               const float* __restrict__ bias, void* __restrict__ out, int tokens,
                                               int rows, int columns) {
  constexpr int SLICES = TOKENS / 32, X_BYTES = TOKENS * ROW_BYTES, STAGE_BYTES = X_BYTES + TILE_BYTES;
  EW_DYN_SMEM(smem);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int token = (warp >> 2) * SLICES * 16, row = (warp & 3) * 32;
  const int steps = ceil_div(columns, TILE_COLUMNS);
  const Tiles<TOKENS, TILE_ROWS> tiles(tokens, rows);
  int token0, row0;
  tiles.place(blockIdx.x, token0, row0);
  const unsigned char* const image =
      reinterpret_cast<const unsigned char*>(weights) + (size_t)(row0 / TILE_ROWS) * steps * TILE_BYTES;

  auto load = [&](int step) {
    unsigned char* const stage = smem + step % STAGES * STAGE_BYTES;
    stage_rows<TOKENS, THREADS>(stage, x, token0, tokens, step * TILE_COLUMNS, columns, threadIdx.x);
    const unsigned char* const w = image + (size_t)step * TILE_BYTES;
#pragma unroll
    for (int i = 0; i < TILE_BYTES / 16 / THREADS; i++) {
      const int at = (threadIdx.x + i * THREADS) * 16;
      cp_async16(stage + X_BYTES + at, w + at, true);
    }
  };

  const bool idle = token0 + token >= tokens || row0 + row >= rows;  // a warp whose outputs are all outside
  float acc[SLICES][4][4] = {};
#pragma unroll
  for (int s = 0; s < STAGES - 1; s++) {
    if (s < steps) load(s);
    cp_async_commit();
  }
  for (int step = 0; step < steps; step++) {
    cp_async_wait<STAGES - 2>();
    __syncthreads();  // this stage is there for all, and the one before it is free
    if (step + STAGES - 1 < steps) load(step + STAGES - 1);
    cp_async_commit();
    const unsigned char* const stage = smem + step % STAGES * STAGE_BYTES;
    if (!idle) multiply_stage<SLICES>(acc, stage, stage + X_BYTES, token, row, lane);
  }
  if (idle) return;
#pragma unroll
  for (int i = 0; i < SLICES; i++)
#pragma unroll
    for (int j = 0; j < 4; j += 2)
#pragma unroll
      for (int h = 0; h < 2; h++)
        store_sixteen<O>(out, bias, token0 + token + i * 16 + (lane >> 2) + h * 8, tokens, row0 + row + j * 8, rows,
                         acc[i][j][h * 2], acc[i][j][h * 2 + 1], acc[i][j + 1][h * 2], acc[i][j + 1][h * 2 + 1]);
}

#define LINEAR_PREFILL(name, tile, output)                                                                         \
  EW_KERNEL void __launch_bounds__(THREADS, 2)                                                                     \
      name(const bf16* __restrict__ x, const bf16* __restrict__ weights, const float* __restrict__ bias,           \
           void* __restrict__ out, int tokens, int rows, int columns) {                                            \
    linear_prefill<tile, output>(x, weights, bias, out, tokens, rows, columns);                                    \
  }                                                                                                                \
  EW_EXPORT(name)
#define LINEAR_PREFILLS(tile)                                         \
  LINEAR_PREFILL(linear_prefill_##tile##_bf16, tile, Output::BF16)    \
  LINEAR_PREFILL(linear_prefill_##tile##_f32, tile, Output::F32)      \
  LINEAR_PREFILL(linear_prefill_##tile##_add, tile, Output::ADD)

LINEAR_PREFILLS(64)
LINEAR_PREFILLS(128)
