// SPDX-License-Identifier: Apache-2.0
// attention_plain.cu: the attention of attention_decode.cu, attention_prefill.cu and sparse_attention.cu
// in plain f32, for tests of everything around it. Same tables, same pieces, same merge.
//
// Common contract (CudaAttention checks it; the kernels do not)
//   block   (128, 1, 1)
//   qkv     [T, (H + 2 K) * D], Q rotated; keys [work rows][W], values [slots][W] of the layer
//   D       at most 128
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: f32 throughout; scores of a piece of SPLIT_ROWS rows first, then its maximum, its sum and
// its weighted V, in the order of the rows. Limit: none sought.
#include "common/softmax.cuh"
#include "common/sparse.cuh"

constexpr int THREADS = 128;

// One query's view of its context.
struct View {
  const float* keys;    // of the KV head
  const float* values;  // of the KV head
  const int* slot_of;
  const int* blocks;    // of the context
  int width;
  int head_dim;
  float scale;          // D^-0.5 log2(e)
};

// Largest of all threads' values, or their sum in the order of the warps; all threads get it.
template <class F> __device__ __forceinline__ float block_reduce(float v, float* part, F op) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v = op(v, __shfl_xor_sync(FULL_WARP, v, o));
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = v;
  __syncthreads();
  v = part[0];
#pragma unroll
  for (int w = 1; w < THREADS / 32; w++) v = op(v, part[w]);
  __syncthreads();
  return v;
}

// Softmax of query `q` (shared memory) over rows [from, from + rows), at most SPLIT_ROWS of them, on
// its own; thread d < D gets component d of the weighted sum of V.
__device__ __forceinline__ float piece_softmax(
    const View& view, const float* q, int from, int rows, SoftmaxState& state, float* p,
    float* part) {
  const int tid = threadIdx.x;
  state.clear();
  float largest = -INFINITY;
  for (int j = tid; j < rows; j += THREADS) {
    const float* key = view.keys + (size_t)work_row(view.blocks, from + j) * view.width;
    float s = 0.f;
    for (int d = 0; d < view.head_dim; d++) s = __fmaf_rn(q[d], key[d], s);
    p[j] = s * view.scale;
    largest = fmaxf(largest, p[j]);
  }
  state.raise(block_reduce(largest, part, [](float a, float b) { return fmaxf(a, b); }));
  float sum = 0.f;
  for (int j = tid; j < rows; j += THREADS) {
    p[j] = exp2f(p[j] - state.m);
    sum += p[j];
  }
  state.l = block_reduce(sum, part, [](float a, float b) { return a + b; });
  float o = 0.f;
  if (tid < view.head_dim) {
    for (int j = 0; j < rows; j++) {
      const size_t slot = view.slot_of[work_row(view.blocks, from + j)];
      o = __fmaf_rn(p[j], view.values[slot * view.width + tid], o);
    }
  }
  __syncthreads();  // p is free
  return o;
}

// Adds such a piece to what is known of the rows before it.
__device__ __forceinline__ void add_piece(
    const View& view, const float* q, int from, int rows, SoftmaxState& all, float& o, float* p,
    float* part) {
  SoftmaxState piece;
  const float v = piece_softmax(view, q, from, rows, piece, p, part);
  o *= all.raise(piece.m);
  const float share = softmax_share(piece.m, all.m);
  all.l = __fmaf_rn(piece.l, share, all.l);
  o = __fmaf_rn(v, share, o);
}

// Partial softmax of each piece, as attention_decode_bf16_*; attention_merge_f32 follows.
//   grid    (any, 1, 1)    units (item, head) are dealt to the blocks in turn
EW_KERNEL void __launch_bounds__(THREADS) attention_decode_f32(
    const float* __restrict__ qkv, const float* __restrict__ keys,
    const float* __restrict__ values, const int* __restrict__ slot_of,
    const StepHeader* __restrict__ step, const StepSpan* __restrict__ spans,
    const StepItem* __restrict__ items, const int* __restrict__ blocks,
    float* __restrict__ partial, float2* __restrict__ sums, int heads, int kv_heads, int head_dim,
    float scale) {
  __shared__ float p[SPLIT_ROWS], q[128], part[THREADS / 32];
  const int units = step->items * heads, group = heads / kv_heads, tid = threadIdx.x;
  for (int unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const StepItem item = items[unit / heads];
    const StepSpan& span = spans[item.span];
    const int head = unit % heads, kv = head / group, from = item.part * SPLIT_ROWS;
    const View view{keys + kv * head_dim, values + kv * head_dim, slot_of, blocks + span.blocks,
                    kv_heads * head_dim, head_dim, scale};
    if (tid < head_dim) {
      q[tid] = qkv[((size_t)span.first * (heads + 2 * kv_heads) + head) * head_dim + tid];
    }
    __syncthreads();
    SoftmaxState state;
    const float o = piece_softmax(
        view, q, from, min(SPLIT_ROWS, span.rows - from), state, p, part);
    if (tid < head_dim) partial[(size_t)unit * head_dim + tid] = o;
    if (tid == 0) sums[unit] = make_float2(state.m, state.l);
  }
}
EW_EXPORT(attention_decode_f32)

// Causal attention of each new row, as attention_prefill_bf16_*; those of sparse spans are left out.
//   grid    (T, H, 1)
//   span_of [T] span of each row;  out [T, H * D]
EW_KERNEL void __launch_bounds__(THREADS) attention_prefill_f32(
    const float* __restrict__ qkv, const float* __restrict__ keys,
    const float* __restrict__ values, const int* __restrict__ slot_of,
    const StepSpan* __restrict__ spans, const int* __restrict__ span_of,
    const int* __restrict__ blocks, float* __restrict__ out, int heads, int kv_heads,
    int head_dim, float scale) {
  __shared__ float p[SPLIT_ROWS], q[128], part[THREADS / 32];
  const int row = blockIdx.x, head = blockIdx.y, tid = threadIdx.x;
  const int kv = head / (heads / kv_heads);
  const StepSpan& span = spans[span_of[row]];
  if (span.sparse) return;
  const int sees = span.rows - span.count + (row - span.first) + 1;
  const View view{keys + kv * head_dim, values + kv * head_dim, slot_of, blocks + span.blocks,
                  kv_heads * head_dim, head_dim, scale};
  if (tid < head_dim) {
    q[tid] = qkv[((size_t)row * (heads + 2 * kv_heads) + head) * head_dim + tid];
  }
  __syncthreads();
  SoftmaxState all;
  all.clear();
  float o = 0.f;
  for (int from = 0; from < sees; from += SPLIT_ROWS) {
    add_piece(view, q, from, min(SPLIT_ROWS, sees - from), all, o, p, part);
  }
  if (tid < head_dim) out[((size_t)row * heads + head) * head_dim + tid] = o / all.l;
}
EW_EXPORT(attention_prefill_f32)

// Attention of one span over chosen key blocks, as sparse_attention_bf16_*.
//   grid    (n, H, 1)
//   mask    [H][R][words];  out [T, H * D];  lse [n][H]
EW_KERNEL void __launch_bounds__(THREADS) sparse_attention_f32(
    const float* __restrict__ qkv, const float* __restrict__ keys,
    const float* __restrict__ values, const int* __restrict__ slot_of,
    const StepSpan* __restrict__ span, const int* __restrict__ blocks,
    const uint32_t* __restrict__ mask, float* __restrict__ out, float* __restrict__ lse,
    int head_dim, float scale, SparseGrid grid) {
  __shared__ float p[SPLIT_ROWS], q[128], part[THREADS / 32];
  const int i = blockIdx.x, head = blockIdx.y, tid = threadIdx.x, kv = grid.kv_of(head);
  const int sees = grid.past() + i + 1, r = (sees - 1) / grid.block;
  const size_t row = span->first + i;
  const View view{keys + kv * head_dim, values + kv * head_dim, slot_of, blocks + span->blocks,
                  grid.kv_heads * head_dim, head_dim, scale};
  const uint32_t* bits =
      mask + ((size_t)head * grid.rows() + r - grid.first_row()) * grid.words();
  if (tid < head_dim) q[tid] = qkv[row * qkv_width(grid, head_dim) + head * head_dim + tid];
  __syncthreads();
  SoftmaxState all;
  all.clear();
  float o = 0.f;
  for (int c = 0; c <= r; c++) {
    const int from = c * grid.block;
    if (has_bit(bits, c)) {
      add_piece(view, q, from, min(grid.block, sees - from), all, o, p, part);
    }
  }
  if (tid < head_dim) out[(row * grid.heads + head) * head_dim + tid] = o / all.l;
  if (tid == 0) lse[(size_t)i * grid.heads + head] = natural_lse(all);
}
EW_EXPORT(sparse_attention_f32)
