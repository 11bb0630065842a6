// SPDX-License-Identifier: Apache-2.0
// sparse_select.cu: which key blocks each row block of a span attends to, for each query head.
// Lai et al., FlexPrefill, ICLR 2025 (arXiv 2502.20766), algorithms 1 to 4. Differs, after the authors'
// code: tokens that cover gamma give a number of blocks, taken by block mass; the cell that crosses
// gamma is left out; first column and main diagonal are always in; a zero on either side of the
// divergence makes a head vertical-slash. And: a context before the span.
//
// Common contract (CudaSparsePrefill checks it; the kernels do not)
//   nb      key blocks, at most MOST_BLOCKS; R row blocks; words = ceil(nb / 32) of a row of bits
//   order   caller's cudaStream: decide, map, cut, rows, order; no allocation, no host synchronisation
// Numerics: f32, the divergence's sum in double. Running totals in multiples of 2^-40, as integers, so
// that histograms by atomics have the same content in any order. Everything here is a function of the
// span's own rows and lengths.
// Limit: latency; decide reads 2 N numbers of a head three times from L2 with one block, cut R * nb.
// Nothing is sorted: a count or a mass is found as a threshold, by histograms over 11, 11 and 10 bits
// of the numbers, which order as integers do since none is negative.
#include "common/softmax.cuh"
#include "common/sparse.cuh"

constexpr int BLOCK = 512, WARPS = BLOCK / 32;
constexpr int BINS = 2048, EACH = BINS / BLOCK;
constexpr int MOST_BLOCKS = 4096;
constexpr int UNIT = 128;  // tokens of a budget's block, whatever B is: as published

enum Pattern { VERTICAL_SLASH = 0, QUERY_AWARE = 1 };

// Of values, the largest first: those with bits above `bits`, and of those equal to it the first `taken`
// in index order.
struct Threshold {
  uint32_t bits;
  unsigned taken;
  unsigned ties;   // values equal to it
  unsigned above;  // values above it
};

// What was decided for a query head; SelectionTables of Java reads it.
struct SparseHead {
  int pattern;
  float distance;    // not a number where a side of the divergence has a zero
  int tokens[2];     // that cover gamma: columns, distances
  int budget[2];     // blocks
  float kept;        // share of the probe's mass in what the last row block chose
  int reserved;
  Threshold cells;   // of the pooled map, query-aware heads
};

__device__ __forceinline__ u64 fixed_point(float v) {
  return v >= 0.f && v < 2.f ? (u64)((double)v * 0x1p40 + 0.5) : 0;  // not a number counts nothing
}

struct Bins {
  u64 mass[BINS];
  unsigned count[BINS];
  u64 warp_mass[WARPS];
  unsigned warp_count[WARPS];
  int bin;  // where the total crosses the limit, -1: nowhere
  u64 mass_before;
  unsigned count_before, count_in;
};
static_assert(sizeof(Bins) == 24792 && sizeof(SparseHead) == 48, "as CudaSparsePrefill has them");

// Exclusive sums over the block's threads in their order.
__device__ __forceinline__ void prefix(Bins& bins, u64& mass, unsigned& count) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const u64 own_mass = mass;
  const unsigned own_count = count;
#pragma unroll
  for (int o = 1; o < 32; o <<= 1) {
    const u64 m = __shfl_up_sync(FULL_WARP, mass, o);
    const unsigned c = __shfl_up_sync(FULL_WARP, count, o);
    if (lane >= o) {
      mass += m;
      count += c;
    }
  }
  if (lane == 31) {
    bins.warp_mass[warp] = mass;
    bins.warp_count[warp] = count;
  }
  __syncthreads();
  mass -= own_mass;
  count -= own_count;
  for (int w = 0; w < warp; w++) {
    mass += bins.warp_mass[w];
    count += bins.warp_count[w];
  }
}

// The longest run of the largest of n values whose weights together are at most `limit`; negative
// values are none. All threads of the block call it and get it.
template <class Value, class Weight>
__device__ Threshold longest_within(Bins& bins, int n, u64 limit, Value value, Weight weight) {
  uint32_t found = 0, known = 0;  // bits of the threshold, and which of them are known
  u64 mass = 0;
  unsigned above = 0, ties = 0;
  for (int shift = 21; shift >= 0; shift = shift == 21 ? 10 : shift - 10) {
    for (int i = threadIdx.x; i < BINS; i += BLOCK) {
      bins.mass[i] = 0;
      bins.count[i] = 0;
    }
    if (threadIdx.x == 0) bins.bin = -1;
    __syncthreads();
    const uint32_t width = shift == 0 ? 1023 : BINS - 1;
    for (int i = threadIdx.x; i < n; i += BLOCK) {
      const float v = value(i);
      const uint32_t bits = __float_as_uint(v);
      if ((bits >> 31) == 0 && (bits & known) == found) {
        const u64 w = weight(v);
        if (w) atomicAdd(&bins.mass[bits >> shift & width], w);
        atomicAdd(&bins.count[bits >> shift & width], 1u);
      }
    }
    __syncthreads();
    u64 sum = 0;
    unsigned count = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
      sum += bins.mass[BINS - 1 - threadIdx.x * EACH - i];
      count += bins.count[BINS - 1 - threadIdx.x * EACH - i];
    }
    u64 before = sum;
    unsigned count_before = count;
    prefix(bins, before, count_before);
    before += mass;
    if (before <= limit && before + sum > limit) {  // one thread at most
      for (int i = 0; i < EACH; i++) {
        const int bin = BINS - 1 - threadIdx.x * EACH - i;
        if (before + bins.mass[bin] > limit) {
          bins.bin = bin;
          bins.mass_before = before;
          bins.count_before = above + count_before;
          bins.count_in = bins.count[bin];
          break;
        }
        before += bins.mass[bin];
        count_before += bins.count[bin];
      }
    }
    __syncthreads();
    const int bin = bins.bin;
    mass = bins.mass_before;
    above = bins.count_before;
    ties = bins.count_in;
    __syncthreads();
    if (bin < 0) return {0, 0xffffffffu, 0, (unsigned)n};  // all of them; only at the first shift
    found |= (uint32_t)bin << shift;
    known |= width << shift;
  }
  const unsigned taken = (unsigned)((limit - mass) / weight(__uint_as_float(found)));
  return {found, taken, ties, above};
}

// Bits of the values that a threshold takes, one warp: words [ceil(n / 32)].
template <class Value>
__device__ __forceinline__ void take(
    const Threshold& threshold, int n, Value value, uint32_t* __restrict__ words) {
  const int lane = threadIdx.x & 31;
  unsigned equals = 0;
  for (int base = 0; base < n; base += 32) {
    const uint32_t bits = base + lane < n ? __float_as_uint(value(base + lane)) : 0;
    const bool equal = base + lane < n && bits == threshold.bits;
    const unsigned ballot = __ballot_sync(FULL_WARP, equal);
    const unsigned rank = equals + __popc(ballot & ((1u << lane) - 1));
    const bool in = base + lane < n &&
                    (bits > threshold.bits || (equal && rank < threshold.taken));
    const unsigned word = __ballot_sync(FULL_WARP, in);
    if (lane == 0) words[base >> 5] = word;
    equals += __popc(ballot);
  }
}

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
