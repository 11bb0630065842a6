// SPDX-License-Identifier: Apache-2.0
// sparse_rows.cu: from what the query heads of a span chose (sparse_select.cu), or from masks that were
// given, to the rows of blocks that sparse_attention.cu takes, and what is counted of them.
//
// Common contract (CudaSparsePrefill checks it; the kernels do not)
//   nb      key blocks, at most MOST_BLOCKS; R row blocks; words = ceil(nb / 32) of a row of bits
//   order   caller's cudaStream: rows, order; no allocation, no host synchronisation
// Limit: latency.
#include "common/softmax.cuh"
#include "common/sparse.cuh"

constexpr int BLOCK = 512, WARPS = BLOCK / 32;  // of sparse_order

// The bits of each row: columns, diagonals and cells, up to the diagonal; and how many they are.
//   grid    (R, H, 1)   block (32, 1, 1)
//   heads   null: the mask was given, and is only counted
//   dense_last 1: the last row block takes all
//   mask [H][R][words]; counts [H][R]
EW_KERNEL void sparse_rows(
    SparseHead* heads, const float* __restrict__ masses, const uint32_t* __restrict__ picked,
    const float* __restrict__ map, int dense_last, uint32_t* mask, int* __restrict__ counts,
    SparseGrid grid) {
  const int row = blockIdx.x, head = blockIdx.y, lane = threadIdx.x, nb = grid.blocks();
  const int words = grid.words(), r = grid.first_row() + row;
  const size_t at = (size_t)head * grid.rows() + row;
  uint32_t* to = mask + at * words;
  int count = 0;
  if (heads == nullptr) {
    for (int w = lane; w < words; w += 32) count += __popc(to[w]);
  } else {
    const bool aware = heads[head].pattern == QUERY_AWARE, last = row == grid.rows() - 1;
    const Threshold cells = heads[head].cells;
    const uint32_t* columns = picked + (size_t)head * words;
    const uint32_t* diagonals = picked + (size_t)(grid.heads + head) * words;
    const float* own = map + at * nb;
    unsigned equals = 0;  // cells equal to the threshold that come before this row's
    if (aware && cells.taken < cells.ties) {
      const float* all = map + (size_t)head * grid.rows() * nb;
      for (int i = lane; i < row * nb; i += 32) equals += __float_as_uint(all[i]) == cells.bits;
#pragma unroll
      for (int o = 16; o; o >>= 1) equals += __shfl_xor_sync(FULL_WARP, equals, o);
    }
    float kept = 0.f;
    for (int w = 0; w < words; w++) {
      const int c = w * 32 + lane;
      const bool causal = c <= r;
      bool in = causal && (has_bit(columns, min(c, nb - 1)) || has_bit(diagonals, max(r - c, 0)));
      if (aware) {
        const uint32_t bits = causal ? __float_as_uint(own[c]) : 0;
        const bool equal = causal && bits == cells.bits;
        const unsigned ballot = __ballot_sync(FULL_WARP, equal);
        const unsigned rank = equals + __popc(ballot & ((1u << lane) - 1));
        in |= causal && (bits > cells.bits || (equal && rank < cells.taken));
        equals += __popc(ballot);
      }
      if (last && in) kept += masses[(size_t)head * nb + c];
      const unsigned word = __ballot_sync(FULL_WARP, (dense_last && last) ? causal : in);
      if (lane == 0) to[w] = word;
      count += lane == 0 ? __popc(word) : 0;
    }
    if (last) {
      kept = warp_sum(kept);
      if (lane == 0) heads[head].kept = kept;
    }
  }
#pragma unroll
  for (int o = 16; o; o >>= 1) count += __shfl_xor_sync(FULL_WARP, count, o);
  if (lane == 0) counts[at] = count;
}
EW_EXPORT(sparse_rows)

// What sparse attention did since the back end was opened; SparseTotals of Java reads it.
struct SparseCounts {
  u64 spans;
  u64 vertical_slash;
  u64 query_aware;
  u64 chosen;
  u64 causal;
  u64 kept;     // multiples of 2^-20
  u64 samples;
  u64 reserved;
};

// Rows in the order in which attention takes them, most blocks first: order [H * R] of head * R + row.
// Which of equal ones comes first is open, and decides nothing. Adds to the counts, alone on its stream.
//   grid    (1, 1, 1)   block (512, 1, 1)
EW_KERNEL void __launch_bounds__(BLOCK, 1) sparse_order(
    const int* __restrict__ counts, const SparseHead* __restrict__ heads, int* __restrict__ order,
    SparseCounts* totals, SparseGrid grid) {
  __shared__ unsigned places[MOST_BLOCKS + BLOCK];  // by blocks left out, at most nb
  __shared__ unsigned warp_sums[WARPS];
  __shared__ u64 sums[WARPS];
  const int items = grid.heads * grid.rows(), nb = grid.blocks();
  for (int i = threadIdx.x; i < MOST_BLOCKS + BLOCK; i += BLOCK) places[i] = 0;
  __syncthreads();
  u64 chosen = 0;
  for (int i = threadIdx.x; i < items; i += BLOCK) {
    atomicAdd(&places[nb - counts[i]], 1u);
    chosen += counts[i];
  }
  __syncthreads();
  // Exclusive sums over the bins, each thread a run of them.
  constexpr int RUN = (MOST_BLOCKS + BLOCK) / BLOCK;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  unsigned own = 0;
  for (int i = 0; i < RUN; i++) own += places[threadIdx.x * RUN + i];
  unsigned before = own;
#pragma unroll
  for (int o = 1; o < 32; o <<= 1) {
    const unsigned below = __shfl_up_sync(FULL_WARP, before, o);
    if (lane >= o) before += below;
  }
  if (lane == 31) warp_sums[warp] = before;
  __syncthreads();
  before -= own;
  for (int w = 0; w < warp; w++) before += warp_sums[w];
  for (int i = 0; i < RUN; i++) {
    const unsigned here = places[threadIdx.x * RUN + i];
    places[threadIdx.x * RUN + i] = before;
    before += here;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < items; i += BLOCK) {
    order[atomicAdd(&places[nb - counts[i]], 1u)] = i;
  }
  u64 aware = 0, kept = 0;
  if (heads != nullptr) {
    for (int h = threadIdx.x; h < grid.heads; h += BLOCK) {
      aware += heads[h].pattern == QUERY_AWARE;
      if (heads[h].kept >= 0.f) kept += (u64)(heads[h].kept * 0x1p20f + 0.5f);
    }
  }
  chosen = block_sum(chosen, sums);
  aware = block_sum(aware, sums);
  kept = block_sum(kept, sums);
  if (threadIdx.x > 0) return;
  const u64 rows = grid.rows(), probed = heads == nullptr ? 0 : grid.heads;
  totals->spans += 1;
  totals->query_aware += aware;
  totals->vertical_slash += probed - aware;
  totals->chosen += chosen;
  totals->causal += grid.heads * (rows * grid.first_row() + rows * (rows + 1) / 2);
  totals->kept += kept;
  totals->samples += probed;
}
EW_EXPORT(sparse_order)
