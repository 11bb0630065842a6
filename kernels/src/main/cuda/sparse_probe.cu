// SPDX-License-Identifier: Apache-2.0
// sparse_probe.cu: what a span's last queries attend to.
//   P[i, j] = softmax over j <= p_i of q_i . k_j / sqrt(D), i the last min(B, n) queries, p_i their rows
//   V[j] = mean over i of P[i, j],  S[t] = mean over i of P[i, p_i - t]
// Lai et al., FlexPrefill, ICLR 2025 (arXiv 2502.20766), section 3. Differs: a context before the span.
//
// Common contract (CudaSparsePrefill checks it; the kernels do not)
//   block   (128, 1, 1) unless said otherwise
//   span    of the batch; blocks the step's list of work blocks, from span->blocks on the span's
//   qkv     [T, (H + 2 K) * D], Q rotated; keys [work rows][W] of the layer, 16-byte aligned
//   order   caller's cudaStream: stats, merge, sums, distances; no allocation, no host synchronisation;
//           no atomics, every sum has one order, given by the span's lengths alone
// Numerics: products of bf16 by tensor cores, or f32; all else f32. exp2f, which keeps subnormal
// results: whether a share is zero decides (sparse_select.cu).
// Limit: tensor cores, and beside them the exponentials (8,192 a tile of 128 x 64, as long as its
// products) and in sums the 16,384 reads of shared memory that add up columns and diagonals. The probability matrix is never
// stored: 1.9 GB for 28 heads over 128 K keys; so products are computed twice. The heads of a KV head
// are neighbours in the grid and find its keys in L2: a block reads 16 KiB of keys a tile for 2 MFLOP.
#include "common/softmax.cuh"
#include "common/sparse.cuh"

constexpr int WARPS = 4, THREADS = WARPS * 32, KEYS = WORK_BLOCK_ROWS;
constexpr int PART_TILES = 16;                 // of one block of sparse_stats
constexpr int DIAGONALS = 192;                 // 128 + 64 - 1, and one
constexpr int SHARE_STRIDE = KEYS + 8;         // of a row of shares: fragments meet no bank twice
constexpr int SHARES = MOST_PROBES * SHARE_STRIDE;

// Rows of the context that probe row i sees; none if there is no such row.
__device__ __forceinline__ int probe_sees(const SparseGrid& grid, int i) {
  return i < grid.probes() ? grid.keys - grid.probes() + i + 1 : 0;
}

template <int D> struct ProbeSpace {
  bf16 queries[MOST_PROBES * D];
  bf16 keys[2][KEYS * D];
};

// Scores of one query head's probe rows against tiles [from, to), each given to
// use(tile, scores): 32 rows a warp, as fragments.
template <int D, class Use>
__device__ __forceinline__ void for_tiles(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const StepSpan& span,
    const int* __restrict__ blocks, const SparseGrid& grid, ProbeSpace<D>& space, int head, int from,
    int to, Use use) {
  constexpr int CHUNKS = D / 8;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, probes = grid.probes();
  const size_t width = (size_t)grid.kv_heads * D;
  const int* list = blocks + span.blocks;
  const bf16* key = keys + grid.kv_of(head) * D;
  const bf16* query =
      qkv + (span.first + grid.queries - probes) * qkv_width(grid, D) + (size_t)head * D;
  const auto start = [&](int tile) {
    const bf16* at = key + (size_t)list[tile] * KEYS * width;
    for (int i = threadIdx.x; i < KEYS * CHUNKS; i += THREADS) {
      const int row = i / CHUNKS, chunk = i % CHUNKS;
      const bool ok = tile * KEYS + row < grid.keys;
      cp_async16(space.keys[tile & 1] + tile_at<D>(row, chunk), at + row * width + chunk * 8, ok);
    }
    cp_async_commit();
  };
  for (int i = threadIdx.x; i < MOST_PROBES * CHUNKS; i += THREADS) {
    const int row = i / CHUNKS, chunk = i % CHUNKS;
    const bool ok = row < probes;
    cp_async16(space.queries + tile_at<D>(row, chunk),
               query + (ok ? row : 0) * qkv_width(grid, D) + chunk * 8, ok);
  }
  start(from);
  const LaneOrigin<D> origin(lane);
  const bf16* q = space.queries + warp * 32 * D;
  for (int tile = from; tile < to; tile++) {
    cp_async_wait<0>();
    __syncthreads();  // this tile is there for all, the one before is free for all
    if (tile + 1 < to) start(tile + 1);
    float s[2][KEYS / 8][4] = {};
    if (warp * 32 < probes) {
#pragma unroll 2
      for (int step = 0; step < D / 16; step++) {
        uint32_t a[2][4];
#pragma unroll
        for (int m = 0; m < 2; m++) ldmatrix_x4(a[m], q + m * 16 * D + (origin.rows ^ step * 16));
        add_scores<D>(s, a, space.keys[tile & 1], step, origin);
      }
    }
    use(tile, s);
  }
}

// Partial maxima and sums of the probe rows' softmax: stats [parts][H][128] (maximum in log2 units,
// sum), of 1,024 keys each.
//   grid   (H, ceil(tiles / 16), 1)
//   shared sizeof(ProbeSpace<D>), dynamic
template <int D>
__device__ __forceinline__ void stats(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const StepSpan* __restrict__ span,
    const int* __restrict__ blocks, float scale, float2* __restrict__ stats,
    const SparseGrid& grid) {
  EW_DYN_SMEM(smem);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, head = blockIdx.x;
  SoftmaxState state[2][2];
  int sees[2][2];
#pragma unroll
  for (int m = 0; m < 2; m++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      state[m][h].clear();
      sees[m][h] = probe_sees(grid, warp * 32 + m * 16 + (lane >> 2) + 8 * h);
    }
  }
  const int from = blockIdx.y * PART_TILES, to = min(from + PART_TILES, grid.tiles());
  for_tiles<D>(
      qkv, keys, *span, blocks, grid, *reinterpret_cast<ProbeSpace<D>*>(smem), head, from, to,
      [&](int tile, float (&s)[2][KEYS / 8][4]) {
#pragma unroll
        for (int m = 0; m < 2; m++) {
#pragma unroll
          for (int h = 0; h < 2; h++) {
            const int visible = sees[m][h] - tile * KEYS;
            float largest = -INFINITY;
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
              for (int e = 0; e < 2; e++) {
                if (j * 8 + (lane & 3) * 2 + e >= visible) s[m][j][2 * h + e] = -INFINITY;
                largest = fmaxf(largest, s[m][j][2 * h + e]);
              }
            }
            largest = fmaxf(largest, __shfl_xor_sync(FULL_WARP, largest, 1));
            largest = fmaxf(largest, __shfl_xor_sync(FULL_WARP, largest, 2));
            state[m][h].raise(largest * scale);
            const float base = state[m][h].m == -INFINITY ? 0.f : state[m][h].m;
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
              state[m][h].l += exp2f(__fmaf_rn(s[m][j][2 * h], scale, -base)) +
                               exp2f(__fmaf_rn(s[m][j][2 * h + 1], scale, -base));
            }
          }
        }
      });
#pragma unroll
  for (int m = 0; m < 2; m++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float sum = row_sum(state[m][h].l);
      const int row = warp * 32 + m * 16 + (lane >> 2) + 8 * h;
      if ((lane & 3) == 0) {
        stats[((size_t)blockIdx.y * grid.heads + head) * MOST_PROBES + row] =
            make_float2(state[m][h].m, sum);
      }
    }
  }
}

#define STATS(name, D)                                                                             \
  EW_KERNEL void __launch_bounds__(THREADS, 2) name(                                               \
      const bf16* qkv, const bf16* keys, const StepSpan* span, const int* blocks, float scale,     \
      float2* stat, SparseGrid grid) {                                                             \
    stats<D>(qkv, keys, span, blocks, scale, stat, grid);                                          \
  }                                                                                                \
  EW_EXPORT(name)
STATS(sparse_stats_bf16_32, 32)
STATS(sparse_stats_bf16_64, 64)
STATS(sparse_stats_bf16_128, 128)

// Score of a probe row against a key in f32, in units of log2, for the plain kernels.
__device__ __forceinline__ float plain_score(
    const float* __restrict__ query, const float* __restrict__ key, int head_dim, float scale) {
  float s = 0.f;
  for (int d = 0; d < head_dim; d++) s = __fmaf_rn(query[d], key[d], s);
  return s * scale;
}

// Calls use(j, score) for each key j of [from, to) that the thread's own probe row sees.
template <class Use>
__device__ __forceinline__ void for_keys(
    const float* __restrict__ qkv, const float* __restrict__ keys, const StepSpan& span,
    const int* __restrict__ blocks, const SparseGrid& grid, int head_dim, float scale, int head,
    int from, int to, Use use) {
  const int i = threadIdx.x, sees = probe_sees(grid, i);
  const float* query = qkv + (span.first + grid.queries - grid.probes() + i) *
                                 qkv_width(grid, head_dim) + (size_t)head * head_dim;
  const size_t width = (size_t)grid.kv_heads * head_dim;
  for (int j = from; j < min(to, sees); j++) {
    const float* key =
        keys + work_row(blocks + span.blocks, j) * width + grid.kv_of(head) * head_dim;
    use(j, plain_score(query, key, head_dim, scale));
  }
}

EW_KERNEL void __launch_bounds__(THREADS) sparse_stats_f32(
    const float* __restrict__ qkv, const float* __restrict__ keys, const StepSpan* __restrict__ span,
    const int* __restrict__ blocks, int head_dim, float scale, float2* __restrict__ stats,
    SparseGrid grid) {
  SoftmaxState state;
  state.clear();
  const int head = blockIdx.x, from = blockIdx.y * PART_TILES * KEYS;
  for_keys(qkv, keys, *span, blocks, grid, head_dim, scale, head, from, from + PART_TILES * KEYS,
           [&](int, float score) {
             state.raise(score);
             state.l += exp2f(score - state.m);
           });
  stats[((size_t)blockIdx.y * grid.heads + head) * MOST_PROBES + threadIdx.x] =
      make_float2(state.m, state.l);
}
EW_EXPORT(sparse_stats_f32)

// The whole rows: rows [H][128] (maximum, 1 / (sum * probes)); zeros where there is no row.
//   grid (H, 1, 1)
EW_KERNEL void __launch_bounds__(THREADS) sparse_merge_stats(
    const float2* __restrict__ stats, int parts, float2* __restrict__ rows, SparseGrid grid) {
  const int head = blockIdx.x, i = threadIdx.x;
  const float2* own = stats + (size_t)head * MOST_PROBES + i;
  const size_t stride = (size_t)grid.heads * MOST_PROBES;
  float m = -INFINITY, l = 0.f;
  for (int p = 0; p < parts; p++) m = fmaxf(m, own[p * stride].x);
  for (int p = 0; p < parts; p++) {
    l = __fmaf_rn(own[p * stride].y, softmax_share(own[p * stride].x, m), l);
  }
  rows[head * MOST_PROBES + i] =
      i < grid.probes() ? make_float2(m, 1.f / (l * (float)grid.probes())) : make_float2(0.f, 0.f);
}
EW_EXPORT(sparse_merge_stats)

// Sums of one tile's shares [128][SHARE_STRIDE]: 64 columns, and 191 diagonals of which number g holds
// the places (i, i - g + 63). Two of the 255 a thread; rows in order.
__device__ __forceinline__ void add_up(
    const float* shares, float* __restrict__ columns, float* __restrict__ diagonals) {
#pragma unroll
  for (int round = 0; round < 2; round++) {
    const int item = threadIdx.x + round * THREADS, g = item - KEYS;
    float sum = 0.f;
    if (item < KEYS) {
#pragma unroll 8
      for (int i = 0; i < MOST_PROBES; i++) sum += shares[i * SHARE_STRIDE + item];
      columns[item] = sum;
    } else {
      for (int i = max(0, g - KEYS + 1); i <= min(MOST_PROBES - 1, g); i++) {
        sum += shares[i * SHARE_STRIDE + i - g + KEYS - 1];
      }
      diagonals[g] = sum;  // the last, 191, is empty
    }
  }
}

// V [H][tiles * 64] and the sums of each tile's diagonals [H][tiles][192].
//   grid   (H, ceil(tiles / 16), 1)
//   shared sizeof(ProbeSpace<D>) + SHARES * 4, dynamic
template <int D>
__device__ __forceinline__ void sums(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const StepSpan* __restrict__ span,
    const int* __restrict__ blocks, float scale, const float2* __restrict__ rows,
    float* __restrict__ columns, float* __restrict__ diagonals, const SparseGrid& grid) {
  EW_DYN_SMEM(smem);
  auto& space = *reinterpret_cast<ProbeSpace<D>*>(smem);
  float* shares = reinterpret_cast<float*>(smem + sizeof(ProbeSpace<D>));
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, head = blockIdx.x;
  float2 row[2][2];
  int sees[2][2];
#pragma unroll
  for (int m = 0; m < 2; m++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int i = warp * 32 + m * 16 + (lane >> 2) + 8 * h;
      row[m][h] = rows[head * MOST_PROBES + i];
      sees[m][h] = probe_sees(grid, i);
    }
  }
  const int from = blockIdx.y * PART_TILES, to = min(from + PART_TILES, grid.tiles());
  for_tiles<D>(
      qkv, keys, *span, blocks, grid, space, head, from, to,
      [&](int tile, float (&s)[2][KEYS / 8][4]) {
#pragma unroll
        for (int m = 0; m < 2; m++) {
#pragma unroll
          for (int h = 0; h < 2; h++) {
            const int visible = sees[m][h] - tile * KEYS;
            float* own = shares +
                         (warp * 32 + m * 16 + (lane >> 2) + 8 * h) * SHARE_STRIDE + (lane & 3) * 2;
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
              float w[2];
#pragma unroll
              for (int e = 0; e < 2; e++) {
                w[e] = j * 8 + (lane & 3) * 2 + e < visible
                           ? exp2f(__fmaf_rn(s[m][j][2 * h + e], scale, -row[m][h].x)) * row[m][h].y
                           : 0.f;
              }
              *reinterpret_cast<float2*>(own + j * 8) = make_float2(w[0], w[1]);
            }
          }
        }
        __syncthreads();  // for_tiles' next barrier comes before the next tile's shares
        add_up(shares, columns + ((size_t)head * grid.tiles() + tile) * KEYS,
               diagonals + ((size_t)head * grid.tiles() + tile) * DIAGONALS);
      });
}

#define SUMS(name, D)                                                                              \
  EW_KERNEL void __launch_bounds__(THREADS, 2) name(                                               \
      const bf16* qkv, const bf16* keys, const StepSpan* span, const int* blocks, float scale,     \
      const float2* rows, float* columns, float* diagonals, SparseGrid grid) {                     \
    sums<D>(qkv, keys, span, blocks, scale, rows, columns, diagonals, grid);                       \
  }                                                                                                \
  EW_EXPORT(name)
SUMS(sparse_sums_bf16_32, 32)
SUMS(sparse_sums_bf16_64, 64)
SUMS(sparse_sums_bf16_128, 128)

//   grid   (H, tiles, 1)
EW_KERNEL void __launch_bounds__(THREADS) sparse_sums_f32(
    const float* __restrict__ qkv, const float* __restrict__ keys, const StepSpan* __restrict__ span,
    const int* __restrict__ blocks, int head_dim, float scale, const float2* __restrict__ rows,
    float* __restrict__ columns, float* __restrict__ diagonals, SparseGrid grid) {
  __shared__ float shares[SHARES];
  const int head = blockIdx.x, tile = blockIdx.y;
  float* own = shares + threadIdx.x * SHARE_STRIDE;
  const float2 row = rows[head * MOST_PROBES + threadIdx.x];
  for (int j = 0; j < KEYS; j++) own[j] = 0.f;
  for_keys(qkv, keys, *span, blocks, grid, head_dim, scale, head, tile * KEYS, (tile + 1) * KEYS,
           [&](int j, float score) { own[j - tile * KEYS] = exp2f(score - row.x) * row.y; });
  __syncthreads();
  add_up(shares, columns + ((size_t)head * grid.tiles() + tile) * KEYS,
         diagonals + ((size_t)head * grid.tiles() + tile) * DIAGONALS);
}
EW_EXPORT(sparse_sums_f32)

// S [H][tiles * 64]: a distance crosses up to three tiles, which are added from the first key on.
// Diagonal g of tile c is distance t = N - probes - 64 c + g - 63.
//   grid (tiles, H, 1)   block (64, 1, 1)
EW_KERNEL void sparse_distances(
    const float* __restrict__ diagonals, float* __restrict__ distances, SparseGrid grid) {
  const int t = blockIdx.x * KEYS + threadIdx.x, head = blockIdx.y, tiles = grid.tiles();
  const int base = grid.keys - grid.probes() - t - (KEYS - 1);  // g = 64 c - base
  float sum = 0.f;
  for (int c = base > 0 ? (base + KEYS - 1) / KEYS : 0;
       c < tiles && c * KEYS - base < DIAGONALS - 1; c++) {
    sum += diagonals[((size_t)head * tiles + c) * DIAGONALS + c * KEYS - base];
  }
  distances[(size_t)head * tiles * KEYS + t] = sum;
}
EW_EXPORT(sparse_distances)
