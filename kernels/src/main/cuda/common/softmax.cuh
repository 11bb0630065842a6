// SPDX-License-Identifier: Apache-2.0
// Softmax over rows that arrive piece by piece, and the tiles that tensor-core attention works on.
// Milakov & Gimelshein 2018, algorithm 3; Dao 2023 (FlashAttention-2), section 3.1.
#pragma once
#include "ew_prims.cuh"

// Scores are kept in units of log2: softmax(s) = 2^(s log2(e)) / sum.
constexpr unsigned FULL_WARP = 0xffffffffu;

// What is known of one softmax: its largest score so far and the sum of 2^(score - m).
struct SoftmaxState {
  float m;
  float l;

  __device__ __forceinline__ void clear() {
    m = -INFINITY;
    l = 0.f;
  }

  // Makes `score` part of the maximum. What was summed before counts by the result from now on.
  __device__ __forceinline__ float raise(float score) {
    const float to = fmaxf(m, score);
    const float scale = to == -INFINITY ? 1.f : exp2f(m - to);  // nothing visible yet: nothing summed
    m = to;
    l *= scale;
    return scale;
  }
};

// Natural logarithm of the sum of exponentials.
__device__ __forceinline__ float natural_lse(const SoftmaxState& state) {
  return __fmaf_rn(state.m, 0.693147180559945f, logf(state.l));
}

// Share of a partial softmax with maximum `m` in a whole with maximum `all`; 0 if it saw no row.
__device__ __forceinline__ float softmax_share(float m, float all) {
  return m == -INFINITY ? 0.f : exp2f(m - all);
}

__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
__device__ __forceinline__ float low_bf16(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float high_bf16(uint32_t pair) {
  return __uint_as_float(pair & 0xffff0000u);
}

// Element offset of a 16-byte chunk in a tile [rows][D] of bf16 in shared memory. The XOR gives eight
// consecutive rows of one chunk eight different groups of banks, for ldmatrix.
template <int D> __device__ __forceinline__ int tile_at(int row, int chunk) {
  constexpr int CHUNKS = D / 8;
  const int turn = CHUNKS >= 8 ? row & 7 : row >> 1 & 3;  // D = 32: two rows share 128 bytes
  return (row * CHUNKS + (chunk ^ turn)) * 8;
}

// Where a lane begins to read 16x16 matrices of a tile by ldmatrix. The matrix `step` columns of 16
// further on is at `^ step * 16`, which spares a register for each.
template <int D> struct LaneOrigin {
  int keys;  // of 16 keys as B fragments of Q K^T
  int rows;  // of 16 queries as A fragments, or of 16 keys as B fragments of P V
  __device__ __forceinline__ explicit LaneOrigin(int lane)
      : keys(tile_at<D>((lane & 7) + (lane >> 4) * 8, lane >> 3 & 1)),
        rows(tile_at<D>(lane & 15, lane >> 4)) {}
};

// s += Q K^T over 16 components of 16 M queries and 8 J keys: q holds the queries' A fragments, k is a
// tile [8 J][D] whose 16 components begin at chunk 2 * step.
template <int D, int M, int J>
__device__ __forceinline__ void add_scores(
    float (&s)[M][J][4], const uint32_t (&q)[M][4], const bf16* k, int step,
    const LaneOrigin<D>& origin) {
#pragma unroll
  for (int j = 0; j < J; j += 2) {
    uint32_t r[4];
    ldmatrix_x4(r, k + j * 8 * D + (origin.keys ^ step * 16));
    const uint32_t b0[2] = {r[0], r[1]}, b1[2] = {r[2], r[3]};
#pragma unroll
    for (int m = 0; m < M; m++) {
      mma_bf16(s[m][j], q[m], b0);
      mma_bf16(s[m][j + 1], q[m], b1);
    }
  }
}

// o += P V for 16 M queries and 16 keys: p holds P's A fragments, v is a tile [16][D].
template <int D, int M>
__device__ __forceinline__ void add_values(
    float (&o)[M][D / 8][4], const uint32_t (&p)[M][4], const bf16* v,
    const LaneOrigin<D>& origin) {
#pragma unroll
  for (int n = 0; n < D / 8; n += 2) {
    uint32_t r[4];
    ldmatrix_x4<true>(r, v + (origin.rows ^ n * 8));
    const uint32_t b0[2] = {r[0], r[1]}, b1[2] = {r[2], r[3]};
#pragma unroll
    for (int m = 0; m < M; m++) {
      mma_bf16(o[m][n], p[m], b0);
      mma_bf16(o[m][n + 1], p[m], b1);
    }
  }
}

// Turns scores of one query row (half `h` of the fragments: rows lane / 4 + 8 h) into probabilities
// relative to the row's maximum so far. `p` gets them rounded to bf16, and `state.l` sums exactly
// what is multiplied with V, each lane its own columns; EXACT: what it was before it was rounded, for
// a log-sum-exp that is looked at.
template <bool EXACT = false, int J>
__device__ __forceinline__ float tile_softmax(
    const float (&s)[J][4], int h, float scale, SoftmaxState& state, uint32_t (&p)[J][2]) {
  float largest = -INFINITY;
#pragma unroll
  for (int j = 0; j < J; j++) largest = fmaxf(largest, fmaxf(s[j][2 * h], s[j][2 * h + 1]));
  largest = fmaxf(largest, __shfl_xor_sync(FULL_WARP, largest, 1));
  largest = fmaxf(largest, __shfl_xor_sync(FULL_WARP, largest, 2));
  const float before = state.raise(largest * scale);
  const float base = state.m == -INFINITY ? 0.f : state.m;
#pragma unroll
  for (int j = 0; j < J; j++) {
    const float low = exp2f(__fmaf_rn(s[j][2 * h], scale, -base));
    const float high = exp2f(__fmaf_rn(s[j][2 * h + 1], scale, -base));
    p[j][h] = pack_bf16(low, high);
    state.l += EXACT ? low + high : low_bf16(p[j][h]) + high_bf16(p[j][h]);
  }
  return before;
}

// The sum over the four lanes that share a query row.
__device__ __forceinline__ float row_sum(float v) {
  v += __shfl_xor_sync(FULL_WARP, v, 1);
  return v + __shfl_xor_sync(FULL_WARP, v, 2);
}
