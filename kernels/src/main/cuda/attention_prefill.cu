// SPDX-License-Identifier: Apache-2.0
// attention_prefill.cu: the new rows of each span attend over context and themselves, causally.
//   out[t, h] = softmax(q[t, h] . K[0..n_t) / sqrt(D)) V[0..n_t),  n_t = context row of t, plus one
// Dao 2023, FlashAttention-2, algorithm 1. Differs: keys come through the working copy's blocks and
// the slots of V; the query heads of one KV head are stacked, so that K and V are read once for all.
//
// attention_prefill_bf16_{32,64,128}_{narrow,wide}: 4 warps of 16 or 32 queries. A query is a (row,
// head of the group) pair, m = row * G + head; an item holds queries [64 or 128 * part, ...) of a span.
//   grid    (items, K, 1)
//   block   (128, 1, 1)
//   shared  D * 2 bytes for each query and for each of 64 keys and values a stage, and 512; dynamic
//   qkv     [T, (H + 2 K) * D], Q rotated; keys [work rows][W], values [slots][W] of the layer
//   out     [T, H * D]
//   aligned to 16 bytes: qkv, keys, values, D * 2 bytes
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: as the decode kernel. Keys are taken 64 at a time from the first on and each 16 queries
// stop at their own last one, so that bits depend neither on the batch nor on the form.
// Limit: tensor cores, if shared memory lets them. Per 64 keys and D = 128 a narrow warp reads 36 KiB
// of it for 524 kFLOP, a wide one 40 KiB for 1,049: at 128 bytes a cycle 288 and 320 cycles, where
// mma.sync takes about 200 and 400.
#include "common/prefill_tiles.cuh"

// Which key tiles a block of queries visits, in order. All of them: dense, causal.
struct DenseTiles {
  int count;
  __device__ __forceinline__ int operator[](int i) const { return i; }
};

// Which queries a block has, and what they see.
struct QueryRange {
  int first_row;   // of the span in the batch
  int past;        // rows of the context before the span's first
  int count;       // queries of the span
  int heads, kv_heads, kv;

  __device__ __forceinline__ int group() const { return heads / kv_heads; }
  // Rows of the context that query m sees; none if there is no such query.
  __device__ __forceinline__ int sees(int m) const {
    return m < count ? past + m / group() + 1 : 0;
  }
  __device__ __forceinline__ size_t row(int m) const { return first_row + m / group(); }
  __device__ __forceinline__ int head(int m) const { return kv * group() + m % group(); }
};

// Two blocks fit a multiprocessor: 112 and 96 KiB at D = 128.
template <int M> constexpr int STAGES_OF = M == 1 ? 3 : 2;

template <int D, int M>
__device__ __forceinline__ void prefill(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const bf16* __restrict__ values,
    const int* __restrict__ slot_of, const StepSpan* __restrict__ spans,
    const StepItem* __restrict__ items, const int* __restrict__ blocks, bf16* __restrict__ out,
    int heads, int kv_heads, float scale) {
  EW_DYN_SMEM(smem);
  constexpr int STAGES = STAGES_OF<M>, QUERIES = WARPS * M * 16, CHUNKS = D / 8;
  bf16* queries = reinterpret_cast<bf16*>(smem);
  KeyTile<D>* ring = reinterpret_cast<KeyTile<D>*>(queries + QUERIES * D);
  SlotTable& slots = *reinterpret_cast<SlotTable*>(ring + STAGES);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const StepItem item = items[blockIdx.x];
  const StepSpan& span = spans[item.span];
  const QueryRange range{span.first, span.rows - span.count, span.count * (heads / kv_heads),
                         heads,      kv_heads,               (int)blockIdx.y};
  const int block_first = item.part * QUERIES, first = block_first + warp * M * 16;

  // The queries go along with the first keys' group of copies.
  for (int i = threadIdx.x; i < QUERIES * CHUNKS; i += THREADS) {
    const int m = block_first + i / CHUNKS, chunk = i % CHUNKS;
    const bool ok = m < range.count;
    const bf16* from = qkv + (ok ? range.row(m) * (heads + 2 * kv_heads) + range.head(m) : 0) * D;
    cp_async16(queries + tile_at<D>(i / CHUNKS, chunk), from + chunk * 8, ok);
  }
  const int last = min(block_first + QUERIES, range.count) - 1;
  const DenseTiles tiles{(range.sees(last) + KEYS - 1) / KEYS};
  KeyCopies<D, STAGES, DenseTiles> copies{
      tiles,    keys,  values,    slot_of,       blocks, span.blocks, range.kv * D, ring, slots,
      span.rows, kv_heads * D, 0, 0};
  copies.look(0);
#pragma unroll
  for (int i = 0; i < STAGES - 1; i++) {
    copies.publish(i);
    __syncthreads();
    copies.start(i);
  }
  Queries<D, M> own;
  own.begin(range, first, lane);
  const bf16* q = queries + warp * M * 16 * D;
  for (int i = 0; i < tiles.count; i++) {
    copies.publish(i + STAGES - 1);
    cp_async_wait<STAGES - 2>();
    __syncthreads();  // this tile is there for all, the one before is free for all
    copies.start(i + STAGES - 1);
    const int key = tiles[i] * KEYS;
    if (own.reach(0, key)) {
      own.template add<0>(ring[i % STAGES], q, key, scale, lane);
    } else if (M == 2 && own.reach(M - 1, key)) {
      own.template add<M - 1>(ring[i % STAGES], q, key, scale, lane);
    }
  }
#pragma unroll
  for (int i = 0; i < M; i++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float norm = 1.f / row_sum(own.state[i][h].l);
      const int m = first + i * 16 + (lane >> 2) + 8 * h;
      if (m >= range.count) continue;
      uint32_t* to =
          reinterpret_cast<uint32_t*>(out + (range.row(m) * heads + range.head(m)) * D) + (lane & 3);
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        to[n * 4] = pack_bf16(own.o[i][n][2 * h] * norm, own.o[i][n][2 * h + 1] * norm);
      }
    }
  }
}

#define PREFILL(name, D, M)                                                                        \
  EW_KERNEL void __launch_bounds__(THREADS, 2) name(                                               \
      const bf16* qkv, const bf16* keys, const bf16* values, const int* slot_of,                   \
      const StepSpan* spans, const StepItem* items, const int* blocks, bf16* out, int heads,       \
      int kv_heads, float scale) {                                                                 \
    prefill<D, M>(                                                                                 \
        qkv, keys, values, slot_of, spans, items, blocks, out, heads, kv_heads, scale);            \
  }                                                                                                \
  EW_EXPORT(name)
PREFILL(attention_prefill_bf16_32_narrow, 32, 1)
PREFILL(attention_prefill_bf16_32_wide, 32, 2)
PREFILL(attention_prefill_bf16_64_narrow, 64, 1)
PREFILL(attention_prefill_bf16_64_wide, 64, 2)
PREFILL(attention_prefill_bf16_128_narrow, 128, 1)
PREFILL(attention_prefill_bf16_128_wide, 128, 2)
