// SPDX-License-Identifier: Apache-2.0
// sparse_select.cu: pattern, budgets, columns and diagonals of each query head, and the cells of the
// pooled map that the query-aware ones take.
// Lai et al., FlexPrefill, ICLR 2025 (arXiv 2502.20766), algorithms 1 to 4. Differs, after the authors'
// code: tokens that cover gamma give a number of blocks, taken by block mass; the cell that crosses
// gamma is left out; first column and main diagonal are always in; a zero on either side of the
// divergence makes a head vertical-slash. And: a context before the span.
//
// Common contract (CudaSparsePrefill checks it; the kernels do not)
//   nb      key blocks, at most MOST_BLOCKS; R row blocks; words = ceil(nb / 32) of a row of bits
//   order   caller's cudaStream: decide, map, cut; no allocation, no host synchronisation
// Numerics: f32, the divergence's sum in double. Running totals in multiples of 2^-40, as integers, so
// that histograms by atomics have the same content in any order. Everything here is a function of the
// span's own rows and lengths.
// Limit: latency; decide reads 2 N numbers of a head three times from L2 with one block, cut R * nb.
#include "common/softmax.cuh"
#include "common/threshold.cuh"

constexpr int UNIT = 128;  // tokens of a budget's block, whatever B is: as published

// Softmax in place over x[0, n), units of log2; x is shared, `part` too.
__device__ __forceinline__ void block_softmax(float* x, int n, float* part) {
  float largest = -INFINITY;
  for (int i = threadIdx.x; i < n; i += blockDim.x) largest = fmaxf(largest, x[i]);
  largest = block_max(largest, part);
  float sum = 0.f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    x[i] = exp2f(x[i] - largest);
    sum += x[i];
  }
  const float all = block_sum(sum, part);
  for (int i = threadIdx.x; i < n; i += blockDim.x) x[i] = x[i] / all;
}

// x[c] = q . keys[c] * scale for c in [0, n), a warp each.
__device__ __forceinline__ void block_scores(
    float* x, int n, const float* __restrict__ q, const float* __restrict__ keys, int head_dim,
    float scale) {
  const int lane = threadIdx.x & 31;
  for (int c = threadIdx.x >> 5; c < n; c += blockDim.x / 32) {
    float s = 0.f;
    for (int d = lane; d < head_dim; d += 32) s = __fmaf_rn(q[d], keys[(size_t)c * head_dim + d], s);
    s = warp_sum(s);
    if (lane == 0) x[c] = s * scale;
  }
  __syncthreads();
}

// Budget of blocks: raised to the floor first, then lowered to the cap.
__device__ __forceinline__ int budget(int tokens, int least, int most) {
  return min(max(tokens / UNIT + 1, least), most);
}

// Pattern, budgets, columns and diagonals of each query head.
//   grid    (H, 1, 1)   block (512, 1, 1)
//   shared  sizeof(Bins) + 12 nb, dynamic
//   columns, distances [H][tiles * 64]; keys [K][nb][D], queries [H][R + 1][D] pooled
//   limit   gamma in multiples of 2^-40
//   heads [H]; masses [3][H][nb]: Vb, Sb, E; picked [2][H][words]: columns, diagonals
EW_KERNEL void __launch_bounds__(BLOCK, 1) sparse_decide(
    const float* __restrict__ columns, const float* __restrict__ distances,
    const float* __restrict__ keys, const float* __restrict__ queries, int head_dim, float scale,
    long long limit, float tau, int least, int most, SparseHead* __restrict__ heads,
    float* __restrict__ masses, uint32_t* __restrict__ picked, SparseGrid grid) {
  EW_DYN_SMEM(smem);
  __shared__ float part[WARPS];
  __shared__ double sums[WARPS];
  Bins& bins = *reinterpret_cast<Bins*>(smem);
  const int nb = grid.blocks(), head = blockIdx.x, lane = threadIdx.x & 31;
  float* column_mass = reinterpret_cast<float*>(smem + sizeof(Bins));
  float* offset_mass = column_mass + nb;
  float* estimate = offset_mass + nb;
  const float* v = columns + (size_t)head * grid.tiles() * WORK_BLOCK_ROWS;
  const float* s = distances + (size_t)head * grid.tiles() * WORK_BLOCK_ROWS;

  const int tail = nb * grid.block - grid.keys;
  for (int c = threadIdx.x >> 5; c < nb; c += WARPS) {
    float column = 0.f, offset = 0.f;
    for (int i = c * grid.block + lane; i < (c + 1) * grid.block; i += 32) {
      if (i < grid.keys) column += v[i];
      if (i - tail >= 0) offset += s[i - tail];
    }
    column = warp_sum(column);
    offset = warp_sum(offset);
    if (lane == 0) {
      column_mass[c] = column;
      offset_mass[c] = offset;
    }
  }
  block_scores(estimate, nb, queries + ((size_t)head * (grid.rows() + 1) + grid.rows()) * head_dim,
               keys + (size_t)grid.kv_of(head) * nb * head_dim, head_dim, scale);
  block_softmax(estimate, nb, part);
  __syncthreads();

  double divergence = 0;
  float zeros = 0.f;
  for (int c = threadIdx.x; c < nb; c += BLOCK) {
    const float e = estimate[c], b = column_mass[c], middle = 0.5f * (e + b);
    if (e == 0.f || b == 0.f) {
      zeros = 1.f;
    } else {
      divergence += (double)(e * logf(e / middle)) + (double)(b * logf(b / middle));
    }
    masses[(size_t)head * nb + c] = b;
    masses[(size_t)(grid.heads + head) * nb + c] = offset_mass[c];
    masses[(size_t)(2 * grid.heads + head) * nb + c] = e;
  }
  divergence = block_sum(divergence, sums);
  zeros = block_max(zeros, part);
  const float distance =
      zeros > 0.f ? NAN : (float)sqrt(divergence > 0 ? 0.5 * divergence : 0.0);
  const bool aware = distance < tau;  // not so for NaN

  const auto share = [](float x) { return fixed_point(x); };
  const auto one = [](float) -> u64 { return 1; };
  const auto covered = [&](const float* of) {
    const Threshold t =
        longest_within(bins, grid.keys, (u64)limit, [&](int i) { return of[i]; }, share);
    return (int)(t.above + min(t.taken, t.ties)) + 1;
  };
  const int tokens[2] = {covered(v), covered(s)};
  int budgets[2];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    budgets[i] = aware ? least : budget(tokens[i], least, most);
    const float* mass = i == 0 ? column_mass : offset_mass;
    const auto forced = [&](int c) { return c == 0 ? INFINITY : mass[c]; };
    const Threshold t = longest_within(bins, nb, (u64)budgets[i], forced, one);
    if (threadIdx.x < 32) {
      take(t, nb, forced, picked + (size_t)(i * grid.heads + head) * grid.words());
    }
  }
  if (threadIdx.x == 0) {
    heads[head] = {aware ? QUERY_AWARE : VERTICAL_SLASH,
                   distance,
                   {tokens[0], tokens[1]},
                   {budgets[0], budgets[1]},
                   0.f,
                   0,
                   {0, 0, 0, 0}};
  }
}
EW_EXPORT(sparse_decide)

// Pooled map of the query-aware heads: map [H][R][nb], softmax over c <= r of Qp[r] . Kp[c]; -1 above
// the diagonal.
//   grid    (R, H, 1)   block (128, 1, 1)
//   shared  4 nb, dynamic
EW_KERNEL void sparse_map(
    const float* __restrict__ keys, const float* __restrict__ queries, int head_dim, float scale,
    const SparseHead* __restrict__ heads, float* __restrict__ map, SparseGrid grid) {
  EW_DYN_SMEM(smem);
  __shared__ float part[4];
  const int row = blockIdx.x, head = blockIdx.y, nb = grid.blocks();
  if (heads[head].pattern != QUERY_AWARE) return;
  float* x = reinterpret_cast<float*>(smem);
  const int seen = grid.first_row() + row + 1;
  block_scores(x, seen, queries + ((size_t)head * (grid.rows() + 1) + row) * head_dim,
               keys + (size_t)grid.kv_of(head) * nb * head_dim, head_dim, scale);
  block_softmax(x, seen, part);
  float* to = map + ((size_t)head * grid.rows() + row) * nb;
  for (int c = threadIdx.x; c < nb; c += blockDim.x) to[c] = c < seen ? x[c] : -1.f;
}
EW_EXPORT(sparse_map)

// Which cells of the map a query-aware head takes: the heaviest of all its rows together, until the
// next would pass gamma of their mass.
//   grid    (H, 1, 1)   block (512, 1, 1)
//   limit   gamma * R in multiples of 2^-40
EW_KERNEL void __launch_bounds__(BLOCK, 1) sparse_cut(
    const float* __restrict__ map, long long limit, SparseHead* __restrict__ heads,
    SparseGrid grid) {
  EW_DYN_SMEM(smem);
  Bins& bins = *reinterpret_cast<Bins*>(smem);
  const int head = blockIdx.x, cells = grid.rows() * grid.blocks();
  if (heads[head].pattern != QUERY_AWARE) return;
  const float* own = map + (size_t)head * cells;
  const Threshold t = longest_within(
      bins, cells, (u64)limit, [&](int i) { return own[i]; },
      [](float x) { return fixed_point(x); });
  if (threadIdx.x == 0) heads[head].cells = t;
}
EW_EXPORT(sparse_cut)
