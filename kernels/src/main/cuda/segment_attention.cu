// SPDX-License-Identifier: Apache-2.0
// Attention of the vision tower: every patch attends over its own segment (an attention window or a
// whole frame pair), no mask, scale D^-0.5; Q and K are rotated before.
// Dao 2023, FlashAttention-2, algorithm 1 (forward): one pass over the keys with a running maximum.
//
// Three kernels. patch_factors: cos and sin of the angles, once per pass of the tower.
// rotate_patches: Q and K in place, once per block. attend_segments: the attention itself, which
// rotates Q and K in shared memory instead where no segment is longer than one step of keys.
//
// Launch contract (CudaSegmentAttention checks it; the kernels do not)
//   qkv     [T, 3, H, D] of A, 16-byte aligned, D a multiple of 8 up to 128
//   factors [T, D/2] pairs (cos, sin), f32
//   tiles   {first patch of the segment, patches of the segment, first query within it, 0}
//   out     [T, H, D] of A; does not overlap qkv
//   order   caller's cudaStream; no allocation, no host synchronisation
// Batch invariance: a row's keys come in tiles of KEYS from the beginning of its own segment,
// whatever tile of queries it lies in; so both block shapes below give a row the same bits.
#include "common/activation.cuh"

// factors[i] = (cos angles[i], sin angles[i]).  grid (ceil(count / block)), block any
EW_KERNEL void patch_factors(
    const float* __restrict__ angles, float2* __restrict__ factors, unsigned count) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  factors[i] = make_float2(cosf(angles[i]), sinf(angles[i]));
}
EW_EXPORT(patch_factors)

// Turns four pairs of a head, at[0..3] and at[half..half + 3]. The order of roundings is written out:
// two kernels do this, and a row must not show which of them did.
template <class A>
__device__ __forceinline__ void turn_pairs(A* at, int half, const float2* __restrict__ factors) {
  float a[4], b[4], x[4], y[4];
  load4(at, a);
  load4(at + half, b);
#pragma unroll
  for (int k = 0; k < 4; k++) {
    const float2 f = factors[k];
    x[k] = __fmaf_rn(a[k], f.x, -__fmul_rn(b[k], f.y));
    y[k] = __fmaf_rn(b[k], f.x, __fmul_rn(a[k], f.y));
  }
  store4(at, x);
  store4(at + half, y);
}

// Pair i of a head is components i and i + D/2; V stays as it is.
//   grid (T), block any: a thread turns four pairs of one head of Q or K at a time.
// Limit: memory, 4 H D elements of qkv per patch read or written.
template <class A>
__device__ __forceinline__ void rotate_patches(
    A* qkv, const float2* __restrict__ factors, int heads, int head_dim) {
  const int half = head_dim / 2, quads = half / 4, units = 2 * heads * quads;
  A* row = qkv + (size_t)blockIdx.x * 3 * heads * head_dim;
  const float2* turn = factors + (size_t)blockIdx.x * half;
  for (int u = threadIdx.x; u < units; u += blockDim.x) {
    const int head = u / quads, i = (u - head * quads) * 4;  // heads of Q, then those of K
    turn_pairs(row + head * head_dim + i, half, turn + i);
  }
}

EW_KERNEL void rotate_patches_bf16(bf16* qkv, const float2* factors, int heads, int head_dim) {
  rotate_patches(qkv, factors, heads, head_dim);
}
EW_EXPORT(rotate_patches_bf16)

EW_KERNEL void rotate_patches_f32(float* qkv, const float2* factors, int heads, int head_dim) {
  rotate_patches(qkv, factors, heads, head_dim);
}
EW_EXPORT(rotate_patches_f32)

// ---- bf16: tensor cores -------------------------------------------------------------------------
//   attend_segments_bf16_{narrow|wide}_DP: DP is D rounded up to 16
//   grid   (tiles, H); block 128: four warps of 16 (narrow, tiles of 64 queries) or 32 rows (wide,
//          tiles of 128; each tile of keys then serves twice as many queries). Above DP = 96 the
//          wide form would not fit into the registers.
//   shared dynamic, (QUERIES + 4 KEYS) rows of 2 DP + 16 bytes: Q, and two stages of K and V; one
//          stage where no segment exceeds KEYS. The 16 bytes make eight rows of a matrix fall into
//          different banks.
// Numerics: scores and sums f32, softmax in base 2 with the scale inside the exponent, weights
//   rounded to bf16 for the second product (2^-9 relative) but summed before; one rounding, to bf16,
//   at the store. Every query sees at least its own key, so no sum is empty.
// Limit: tensor cores, 4 L^2 D operations per head and segment of L patches.
constexpr int KEYS = 64, THREADS = 128;

// Copies rows [row, row + count) of one head into a padded tile; absent rows and columns are zeros,
// for what they hold is multiplied (by zero, but NaN would stay).
template <int DP>
__device__ __forceinline__ void load_tile(
    unsigned char* tile, const bf16* base, size_t stride, int head_dim, int row, int rows,
    int count) {
  constexpr int CHUNKS = DP / 8, PITCH = DP * 2 + 16;
  for (int c = threadIdx.x; c < count * CHUNKS; c += THREADS) {
    const int r = c / CHUNKS, chunk = c - r * CHUNKS;
    const bool there = row + r < rows && chunk * 8 < head_dim;
    const bf16* from = base + (there ? (size_t)(row + r) * stride + chunk * 8 : 0);
    cp_async16(tile + r * PITCH + chunk * 16, from, there);
  }
}

// Turns the first `rows` rows of two tiles that hold Q and K of the same patches.
template <int DP>
__device__ __forceinline__ void turn_tiles(
    unsigned char* q_tile, unsigned char* k_tile, const float2* __restrict__ factors, int rows,
    int half) {
  constexpr int PITCH = DP * 2 + 16;
  const int quads = half / 4;
  for (int u = threadIdx.x; u < rows * quads; u += THREADS) {
    const int row = u / quads, i = (u - row * quads) * 4;
    const float2* turn = factors + (size_t)row * half + i;
    turn_pairs(reinterpret_cast<bf16*>(q_tile + row * PITCH) + i, half, turn);
    turn_pairs(reinterpret_cast<bf16*>(k_tile + row * PITCH) + i, half, turn);
  }
}

// factors: null where Q and K were rotated before, always so in the wide form; else no segment
// exceeds KEYS.
template <int DP, int M>
__device__ __forceinline__ void attend_segments(
    const bf16* __restrict__ qkv, const float2* __restrict__ factors,
    const int4* __restrict__ tiles, bf16* __restrict__ out, int head_dim, float scale_log2) {
  constexpr int PITCH = DP * 2 + 16, QUERIES = 64 * M, TILE = KEYS * PITCH;
  constexpr int DK = DP / 16, DN = DP / 8;
  EW_DYN_SMEM(smem);
  unsigned char* const q_tile = smem;
  unsigned char* const kv = smem + QUERIES * PITCH;  // stage s: K at 2 s TILE, V at (2 s + 1) TILE

  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int4 tile = tiles[blockIdx.x];
  const int rows = tile.y, first = tile.z, heads = gridDim.y;
  const size_t stride = (size_t)3 * heads * head_dim;
  const bf16* q = qkv + (size_t)tile.x * stride + (size_t)blockIdx.y * head_dim;
  const bf16* k = q + (size_t)heads * head_dim;
  const bf16* v = k + (size_t)heads * head_dim;

  auto load_keys = [&](int step) {
    unsigned char* stage = kv + (step & 1) * 2 * TILE;
    load_tile<DP>(stage, k, stride, head_dim, step * KEYS, rows, KEYS);
    load_tile<DP>(stage + TILE, v, stride, head_dim, step * KEYS, rows, KEYS);
  };
  load_tile<DP>(q_tile, q, stride, head_dim, first, rows, QUERIES);
  load_keys(0);
  cp_async_commit();

  float o[M][DN][4] = {};
  float top[M][2], sum[M][2];
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int h = 0; h < 2; h++) top[m][h] = -INFINITY, sum[m][h] = 0.f;

  const int own = warp * 16 * M;          // first row of this warp in the tile
  const bool busy = first + own < rows;   // else it only helps to load
  const int steps = (rows + KEYS - 1) / KEYS;
  for (int step = 0; step < steps; step++) {
    if (step + 1 < steps) load_keys(step + 1);
    cp_async_commit();
    cp_async_wait<1>();
    __syncthreads();                      // stage `step` is there for all
    if (M == 1 && factors != nullptr) {   // one step: keys and queries are the same patches
      const int half = head_dim / 2;
      turn_tiles<DP>(q_tile, kv, factors + (size_t)tile.x * half, rows, half);
      __syncthreads();                    // both are turned for all
    }
    if (busy) {
      const unsigned char* k_tile = kv + (step & 1) * 2 * TILE;
      const unsigned char* v_tile = k_tile + TILE;

      // s = q k^T: lane holds rows lane/4 and lane/4 + 8, columns 2 (lane % 4) and the next.
      float s[M][KEYS / 8][4] = {};
#pragma unroll
      for (int d = 0; d < DK; d++) {
        uint32_t a[M][4];
#pragma unroll
        for (int m = 0; m < M; m++)
          ldmatrix_x4(
              a[m], q_tile + (own + m * 16 + (lane & 15)) * PITCH + (d * 2 + (lane >> 4)) * 16);
#pragma unroll
        for (int j = 0; j < KEYS / 16; j++) {
          uint32_t r[4];
          ldmatrix_x4(
              r, k_tile + (j * 16 + (lane & 7) + (lane >> 4) * 8) * PITCH +
                     (d * 2 + (lane >> 3 & 1)) * 16);
          const uint32_t low[2] = {r[0], r[1]}, high[2] = {r[2], r[3]};
#pragma unroll
          for (int m = 0; m < M; m++) {
            mma_bf16(s[m][2 * j], a[m], low);
            mma_bf16(s[m][2 * j + 1], a[m], high);
          }
        }
      }

      const int left = rows - step * KEYS;
      if (left < KEYS) {
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
          for (int e = 0; e < 4; e++)
            if (n * 8 + (lane & 3) * 2 + (e & 1) >= left)
#pragma unroll
              for (int m = 0; m < M; m++) s[m][n][e] = -INFINITY;
      }

#pragma unroll
      for (int m = 0; m < M; m++)
#pragma unroll
        for (int h = 0; h < 2; h++) {     // rows lane/4 and lane/4 + 8
          float now = top[m][h];
#pragma unroll
          for (int n = 0; n < KEYS / 8; n++)
            now = fmaxf(now, fmaxf(s[m][n][2 * h], s[m][n][2 * h + 1]));
          now = fmaxf(now, __shfl_xor_sync(0xffffffffu, now, 1));
          now = fmaxf(now, __shfl_xor_sync(0xffffffffu, now, 2));
          const float shift = now * scale_log2;
          const float keep = exp2_approx(top[m][h] * scale_log2 - shift);  // 0 for the first tile
          top[m][h] = now;
          float part = 0.f;
#pragma unroll
          for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
            for (int e = 2 * h; e < 2 * h + 2; e++) {
              s[m][n][e] = exp2_approx(s[m][n][e] * scale_log2 - shift);
              part += s[m][n][e];
            }
          sum[m][h] = sum[m][h] * keep + part;  // of this lane's columns; lanes are added at the end
#pragma unroll
          for (int n = 0; n < DN; n++) {
            o[m][n][2 * h] *= keep;
            o[m][n][2 * h + 1] *= keep;
          }
        }

      // o += p v: the accumulator layout of s is the operand layout of p.
#pragma unroll
      for (int j = 0; j < KEYS / 16; j++) {
        uint32_t p[M][4];
#pragma unroll
        for (int m = 0; m < M; m++)
#pragma unroll
          for (int i = 0; i < 4; i++) {
            const float* pair = &s[m][2 * j + (i >> 1)][2 * (i & 1)];
            p[m][i] = pack_bf16(pair[0], pair[1]);
          }
#pragma unroll
        for (int n = 0; n < DP / 16; n++) {
          uint32_t r[4];
          ldmatrix_x4<true>(
              r, v_tile + (j * 16 + (lane & 15)) * PITCH + (n * 2 + (lane >> 4)) * 16);
          const uint32_t low[2] = {r[0], r[1]}, high[2] = {r[2], r[3]};
#pragma unroll
          for (int m = 0; m < M; m++) {
            mma_bf16(o[m][2 * n], p[m], low);
            mma_bf16(o[m][2 * n + 1], p[m], high);
          }
        }
      }
    }
    __syncthreads();                      // all have read stage `step`; it may be filled again
  }
  if (!busy) return;

#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int h = 0; h < 2; h++) {
      float total = sum[m][h];
      total += __shfl_xor_sync(0xffffffffu, total, 1);
      total += __shfl_xor_sync(0xffffffffu, total, 2);
      const float scale = 1.f / total;
      const int row = first + own + m * 16 + h * 8 + (lane >> 2);
      if (row >= rows) continue;
      bf16* to = out + ((size_t)(tile.x + row) * heads + blockIdx.y) * head_dim + (lane & 3) * 2;
#pragma unroll
      for (int n = 0; n < DN; n++)
        if (n * 8 < head_dim)
          *reinterpret_cast<uint32_t*>(to + n * 8) =
              pack_bf16(o[m][n][2 * h] * scale, o[m][n][2 * h + 1] * scale);
    }
}

#define ATTEND_SEGMENTS(SHAPE, M, DP)                                                            \
  EW_KERNEL void __launch_bounds__(THREADS) attend_segments_bf16_##SHAPE##_##DP(                 \
      const bf16* qkv, const float2* factors, const int4* tiles, bf16* out, int head_dim,        \
      float scale_log2) {                                                                        \
    attend_segments<DP, M>(qkv, factors, tiles, out, head_dim, scale_log2);                      \
  }                                                                                              \
  EW_EXPORT(attend_segments_bf16_##SHAPE##_##DP)
ATTEND_SEGMENTS(narrow, 1, 16)
ATTEND_SEGMENTS(narrow, 1, 32)
ATTEND_SEGMENTS(narrow, 1, 48)
ATTEND_SEGMENTS(narrow, 1, 64)
ATTEND_SEGMENTS(narrow, 1, 80)
ATTEND_SEGMENTS(narrow, 1, 96)
ATTEND_SEGMENTS(narrow, 1, 112)
ATTEND_SEGMENTS(narrow, 1, 128)
ATTEND_SEGMENTS(wide, 2, 16)
ATTEND_SEGMENTS(wide, 2, 32)
ATTEND_SEGMENTS(wide, 2, 48)
ATTEND_SEGMENTS(wide, 2, 64)
ATTEND_SEGMENTS(wide, 2, 80)
ATTEND_SEGMENTS(wide, 2, 96)

// ---- f32: the plain path ------------------------------------------------------------------------
//   grid (tiles, H); block 128: a warp per query, tiles of 4. In a step of 32 keys a lane first owns
//   a key (its score), then up to four columns 32 apart (the weighted sum, keys in order).
// Numerics: f32 throughout, e^x by expf.
constexpr int PLAIN_QUERIES = THREADS / 32;

EW_KERNEL void __launch_bounds__(THREADS) attend_segments_f32(
    const float* __restrict__ qkv, const int4* __restrict__ tiles, float* __restrict__ out,
    int head_dim, float scale) {
  __shared__ float shared[PLAIN_QUERIES][128 + 32];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int4 tile = tiles[blockIdx.x];
  const int row = tile.z + warp, heads = gridDim.y;
  if (row >= tile.y) return;
  const size_t stride = (size_t)3 * heads * head_dim;
  const float* q = qkv + (size_t)tile.x * stride + (size_t)blockIdx.y * head_dim;
  const float* k = q + (size_t)heads * head_dim;
  const float* v = k + (size_t)heads * head_dim;
  float* const query = shared[warp];
  float* const weight = query + 128;
  for (int d = lane; d < head_dim; d += 32) query[d] = q[row * stride + d] * scale;
  __syncwarp();

  float top = -INFINITY, sum = 0.f, o[4] = {};
  for (int first = 0; first < tile.y; first += 32) {
    const int count = min(32, tile.y - first);
    float s = -INFINITY;
    if (lane < count) {
      s = 0.f;
      const float* key = k + (first + lane) * stride;
      for (int d = 0; d < head_dim; d++) s += query[d] * key[d];
    }
    const float now = fmaxf(top, warp_max(s));
    const float keep = expf(top - now), p = expf(s - now);
    top = now;
    sum = sum * keep + warp_sum(p);
    weight[lane] = p;
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int d = lane + 32 * i;
      if (d < head_dim) {
        float add = 0.f;
        for (int j = 0; j < count; j++) add += weight[j] * v[(first + j) * stride + d];
        o[i] = o[i] * keep + add;
      }
    }
    __syncwarp();
  }
  float* to = out + ((size_t)(tile.x + row) * heads + blockIdx.y) * head_dim;
#pragma unroll
  for (int i = 0; i < 4; i++)
    if (lane + 32 * i < head_dim) to[lane + 32 * i] = o[i] / sum;
}
EW_EXPORT(attend_segments_f32)
