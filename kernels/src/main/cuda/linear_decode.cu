// SPDX-License-Identifier: Apache-2.0
// linear_decode.cu: products of few rows, y = x w^T + bias, at the speed at which weights can be read.
// Weights are the A operand of mma.sync (16 outputs), tokens the B operand (8 a tile, absent ones zero).
//
// K is cut into PARTS runs of 64-wide tiles; a team of warps per part adds up its run in order of k, and the parts are
// added in order. PARTS is chosen from N and K alone (CudaLinear), and nothing else here touches the order of a sum:
// so the bits of a row do not depend on TOKENS, hence not on how many rows share the step.
//
// Launch contract (CudaLinear checks it; the kernel does not)
//   grid    (ceil(T / TOKENS), ceil(N / ROWS))         token groups side by side, so that they share weights in L2
//   block   32 * PARTS * TEAM threads
//   shared  PARTS * STAGES * STAGE_BYTES dynamic, see `Shape`
//   x [T, K] bf16, 16-byte aligned; weights in tile images; bias [N] f32 or null; out [T, N], overlaps nothing
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: products and sums in f32; one rounding, to bf16, at the store.
// Limit: memory. N * K * 2 bytes of weights, read once; x comes from L2, TOKENS / ROWS bytes per byte of weights.
#include "common/linear.cuh"

// The shape of a block. Each team has a ring of its own of STAGES tiles: ROWS rows of weights, TOKENS rows of x.
template <int PARTS_, int TEAM_, int SLICES_, int TOKENS_, int STAGES_> struct Shape {
  static constexpr int PARTS = PARTS_;    // runs of K, a team each
  static constexpr int TEAM = TEAM_;      // warps of a team, one below the other
  static constexpr int SLICES = SLICES_;  // 16-row slices of a warp
  static constexpr int TOKENS = TOKENS_, STAGES = STAGES_;
  static constexpr int ROWS = TEAM * SLICES * 16;
  static constexpr int TEAM_THREADS = TEAM * 32, THREADS = PARTS * TEAM_THREADS;
  static constexpr int WEIGHT_BYTES = ROWS * ROW_BYTES, STAGE_BYTES = WEIGHT_BYTES + TOKENS * ROW_BYTES;
  static constexpr int SUM_STRIDE = ROWS + 4;  // floats; 4 more, so that a warp's accumulators fall into 32 banks
  static_assert(PARTS * TOKENS * SUM_STRIDE * 4 <= PARTS * STAGES * STAGE_BYTES, "the sums reuse the rings");
};

template <class S> __device__ __forceinline__ void team_barrier(int part) {
  if (S::TEAM == 1) __syncwarp();
  else named_barrier(1 + part, S::TEAM_THREADS);
}

// acc += w x^T for one stage: 64 columns.
template <class S>
__device__ __forceinline__ void multiply_stage(float (&acc)[S::SLICES][S::TOKENS / 8][4], const unsigned char* w,
                                               const unsigned char* x, int warp, int lane) {
  constexpr int TILES = S::TOKENS / 8;
  uint32_t b[TILES][2], two_steps[4];
#pragma unroll
  for (int kk = 0; kk < TILE_COLUMNS / 16; kk++) {
    if (TILES == 1) {  // 8 rows by 32 columns at once: the fragments of two steps
      if (kk % 2 == 0) ldmatrix_x4(two_steps, x + chunk_offset(lane & 7, kk * 2 + (lane >> 3)));
      b[0][0] = two_steps[kk % 2 * 2];
      b[0][1] = two_steps[kk % 2 * 2 + 1];
    } else {
#pragma unroll
      for (int j = 0; j < TILES / 2; j++) {
        uint32_t r[4];
        ldmatrix_x4(r, x + chunk_offset(j * 16 + (lane & 7) + (lane >> 4) * 8, kk * 2 + (lane >> 3 & 1)));
        b[2 * j][0] = r[0];
        b[2 * j][1] = r[1];
        b[(2 * j + 1) % TILES][0] = r[2];
        b[(2 * j + 1) % TILES][1] = r[3];
      }
    }
#pragma unroll
    for (int i = 0; i < S::SLICES; i++) {
      uint32_t a[4];
      ldmatrix_x4(a, w + chunk_offset((warp * S::SLICES + i) * 16 + (lane & 15), kk * 2 + (lane >> 4)));
#pragma unroll
      for (int j = 0; j < TILES; j++) mma_bf16(acc[i][j], a, b[j]);
    }
  }
}

template <class S, Output O>
__device__ __forceinline__ void linear_decode(const bf16* __restrict__ x, const bf16* __restrict__ weights,
                                              const float* __restrict__ bias, void* __restrict__ out, int tokens,
                                              int rows, int columns) {
  EW_DYN_SMEM(smem);
  const int thread = threadIdx.x % S::TEAM_THREADS, part = threadIdx.x / S::TEAM_THREADS;
  const int lane = threadIdx.x & 31, warp = thread >> 5;
  const int token0 = blockIdx.x * S::TOKENS, row0 = blockIdx.y * S::ROWS;
  const int tiles = ceil_div(columns, TILE_COLUMNS);
  const int from = (int)((long long)tiles * part / S::PARTS), to = (int)((long long)tiles * (part + 1) / S::PARTS);
  unsigned char* const ring = smem + part * S::STAGES * S::STAGE_BYTES;
  const unsigned char* const slices = reinterpret_cast<const unsigned char*>(weights) +
                                      (size_t)(row0 / TILE_ROWS) * tiles * TILE_BYTES + row0 % TILE_ROWS * ROW_BYTES;

  auto load = [&](int tile) {
    unsigned char* const stage = ring + (tile - from) % S::STAGES * S::STAGE_BYTES;
    const unsigned char* const w = slices + (size_t)tile * TILE_BYTES;
#pragma unroll
    for (int i = 0; i < S::WEIGHT_BYTES / 16 / S::TEAM_THREADS; i++) {
      const int at = (thread + i * S::TEAM_THREADS) * 16;
      cp_async16(stage + at, w + at, true);
    }
    stage_rows<S::TOKENS, S::TEAM_THREADS>(stage + S::WEIGHT_BYTES, x, token0, tokens, tile * TILE_COLUMNS, columns,
                                           thread);
  };

  float acc[S::SLICES][S::TOKENS / 8][4] = {};
#pragma unroll
  for (int s = 0; s < S::STAGES - 1; s++) {
    if (from + s < to) load(from + s);
    cp_async_commit();
  }
  for (int tile = from; tile < to; tile++) {
    cp_async_wait<S::STAGES - 2>();
    team_barrier<S>(part);  // this stage is there for the team, and the one before it is free
    if (tile + S::STAGES - 1 < to) load(tile + S::STAGES - 1);
    cp_async_commit();
    const unsigned char* const stage = ring + (tile - from) % S::STAGES * S::STAGE_BYTES;
    multiply_stage<S>(acc, stage, stage + S::WEIGHT_BYTES, warp, lane);
  }

  cp_async_wait<0>();
  __syncthreads();  // all teams are through: the rings become sums [PARTS][TOKENS][SUM_STRIDE]
  float* const sums = reinterpret_cast<float*>(smem);
#pragma unroll
  for (int i = 0; i < S::SLICES; i++)
#pragma unroll
    for (int j = 0; j < S::TOKENS / 8; j++)
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int token = j * 8 + (lane & 3) * 2 + (e & 1), row = (warp * S::SLICES + i) * 16 + (lane >> 2) + (e >> 1) * 8;
        sums[(part * S::TOKENS + token) * S::SUM_STRIDE + row] = acc[i][j][e];
      }
  __syncthreads();
  for (int i = threadIdx.x; i < S::TOKENS * S::ROWS; i += S::THREADS) {
    const int token = i / S::ROWS, row = i % S::ROWS;
    if (token0 + token >= tokens || row0 + row >= rows) continue;
    float y = sums[token * S::SUM_STRIDE + row];
#pragma unroll
    for (int p = 1; p < S::PARTS; p++) y += sums[(p * S::TOKENS + token) * S::SUM_STRIDE + row];
    if (bias) y += bias[row0 + row];
    store_output<O>(out, (size_t)(token0 + token) * rows + row0 + row, y);
  }
}

// Shapes by parts and tokens. Stages: 50 to 100 KB of weights under way per multiprocessor where 30 would do by
// Little's law (4.3 TB/s times 0.9 us over 132), within 227 KB (H100, H200) or, the small ones, 99 KB (8.6, 8.9).
//                          parts team slices tokens stages
using Four8 = Shape<4, 1, 1, 8, 6>;    // 16 rows, 72 KB: three blocks share a multiprocessor
using Four16 = Shape<4, 1, 2, 16, 4>;  // 32 rows, 96 KB: two
using Four32 = Shape<4, 2, 2, 32, 3>;  // 64 rows, 144 KB
using Four64 = Shape<4, 2, 2, 64, 3>;  // 64 rows, 192 KB
using Two8 = Shape<2, 2, 1, 8, 7>;     // 32 rows, 70 KB: three
using Two16 = Shape<2, 2, 2, 16, 4>;   // 64 rows, 80 KB: two
using Two32 = Shape<2, 4, 2, 32, 4>;   // 128 rows, 160 KB
using Two64 = Shape<2, 4, 2, 64, 4>;   // 128 rows, 192 KB

#define LINEAR_DECODE(name, shape, output)                                                                         \
  EW_KERNEL void __launch_bounds__(shape::THREADS)                                                                 \
      name(const bf16* __restrict__ x, const bf16* __restrict__ weights, const float* __restrict__ bias,           \
           void* __restrict__ out, int tokens, int rows, int columns) {                                            \
    linear_decode<shape, output>(x, weights, bias, out, tokens, rows, columns);                                    \
  }                                                                                                                \
  EW_EXPORT(name)
#define LINEAR_DECODES(suffix, shape)                                   \
  LINEAR_DECODE(linear_decode_##suffix##_bf16, shape, Output::BF16)     \
  LINEAR_DECODE(linear_decode_##suffix##_f32, shape, Output::F32)       \
  LINEAR_DECODE(linear_decode_##suffix##_add, shape, Output::ADD)

LINEAR_DECODES(4x8, Four8)
LINEAR_DECODES(4x16, Four16)
LINEAR_DECODES(4x32, Four32)
LINEAR_DECODES(4x64, Four64)
LINEAR_DECODES(2x8, Two8)
LINEAR_DECODES(2x16, Two16)
LINEAR_DECODES(2x32, Two32)
LINEAR_DECODES(2x64, Two64)
