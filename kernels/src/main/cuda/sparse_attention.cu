// SPDX-License-Identifier: Apache-2.0
// sparse_attention.cu: the new rows of one span attend over the key blocks chosen for their row block
// and query head, causally.
//   out[t, h] = softmax(q[t, h] . K[j] / sqrt(D)) V[j] over j <= row of t, block of j chosen;
//   lse[t, h] = ln of the sum of exponentials
// Lai et al., FlexPrefill, ICLR 2025 (arXiv 2502.20766), section 3.4; the tiles are those of
// attention_prefill.cu.
//
// Common contract (CudaSparsePrefill checks it; the kernels do not)
//   qkv, keys, values, slot_of, span, blocks, out as attention_prefill.cu
//   mask    [H][R][words], every row with a bit at or before its diagonal, none behind it
//   counts  [H][R] bits of a row; lse [n][H]
//   order   caller's cudaStream, attention before merge; no allocation, no host synchronisation
//
// sparse_attention_bf16_{32,64,128}: one row block of one query head, 4 warps of 32 queries.
//   grid    (H * R, parts)    items in the order of `order`, most blocks first
//   block   (128, 1, 1)
//   shared  128 queries, 2 stages of 64 keys and values, D * 2 bytes each; 512; 2 for each tile; dynamic
//   parts   at most; a row of p blocks is cut into min(parts, ceil(p / 8)), by tiles
//   partial [H * R][parts][B][D] f32, relative to the maximum; sums [H * R][parts][B] (maximum in log2
//           units, sum): where a row has more than one part
// Numerics: as attention_prefill.cu, but that probabilities are summed before they are rounded, since
// rounded ones would move the log-sum-exp by up to 2e-3. Tiles of 64 keys in ascending order; parts added in order, their
// number given by the span's lengths and the row's own choice.
// Limit: tensor cores if K and V come from L2: 32 KiB of them for 2.1 MFLOP, 64 FLOP a byte, where HBM
// would want 200. Heads of a KV head and neighbouring rows run at about the same time.
#include "common/prefill_tiles.cuh"
#include "common/sparse.cuh"

constexpr int QUERIES = 128, STAGES = 2;
constexpr int PART_BLOCKS = 8;  // the fewest that are worth a part of their own

__device__ __forceinline__ int parts_of(int count, int most) {
  return min(most, (count + PART_BLOCKS - 1) / PART_BLOCKS);
}

// The queries of a row block of one head.
struct RowBlock {
  int past;   // rows of the context before the first
  int count;

  __device__ __forceinline__ int sees(int m) const { return m < count ? past + m + 1 : 0; }
};

// Key tiles to visit, ascending: number * 4, and a bit for each half of which the blocks were chosen.
struct ListedTiles {
  const uint16_t* list;
  int count;
  __device__ __forceinline__ int operator[](int i) const { return list[i] >> 2; }
  __device__ __forceinline__ int halves(int i) const { return list[i] & 3; }
};

// Writes the tiles of a row of bits, one warp; returns how many.
__device__ __forceinline__ int list_tiles(
    const uint32_t* __restrict__ bits, const SparseGrid& grid, uint16_t* list) {
  const int lane = threadIdx.x & 31, nb = grid.blocks(), tiles = grid.tiles();
  int count = 0;
  for (int base = 0; base < tiles; base += 32) {
    const int tile = base + lane;
    int halves = 0;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int c = (tile * KEYS + h * (KEYS / 2)) / grid.block;
      if (tile < tiles && c < nb && has_bit(bits, c)) halves |= 1 << h;
    }
    const unsigned ballot = __ballot_sync(FULL_WARP, halves != 0);
    if (halves) {
      list[count + __popc(ballot & ((1u << lane) - 1))] = (uint16_t)(tile << 2 | halves);
    }
    count += __popc(ballot);
  }
  return count;
}

template <int D>
__device__ __forceinline__ void attend(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const bf16* __restrict__ values,
    const int* __restrict__ slot_of, const StepSpan* __restrict__ span,
    const int* __restrict__ blocks, const uint32_t* __restrict__ mask,
    const int* __restrict__ counts, const int* __restrict__ order, float* __restrict__ partial,
    float2* __restrict__ sums, bf16* __restrict__ out, float* __restrict__ lse, float scale,
    const SparseGrid& grid) {
  EW_DYN_SMEM(smem);
  __shared__ int listed;
  constexpr int CHUNKS = D / 8;
  bf16* queries = reinterpret_cast<bf16*>(smem);
  KeyTile<D>* ring = reinterpret_cast<KeyTile<D>*>(queries + QUERIES * D);
  SlotTable& slots = *reinterpret_cast<SlotTable*>(ring + STAGES);
  uint16_t* list = reinterpret_cast<uint16_t*>(&slots + 1);
  const int item = order[blockIdx.x], parts = parts_of(counts[item], gridDim.y), part = blockIdx.y;
  if (part >= parts) return;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int head = item / grid.rows(), row = item % grid.rows();
  const int first_query = grid.first_query(row);
  const RowBlock range{grid.past() + first_query, grid.first_query(row + 1) - first_query};

  // The queries go along with the first keys' group of copies.
  for (int i = threadIdx.x; i < QUERIES * CHUNKS; i += THREADS) {
    const int m = i / CHUNKS, chunk = i % CHUNKS;
    const bool ok = m < range.count;
    const bf16* from = qkv + (span->first + first_query + (ok ? m : 0)) * qkv_width(grid, D);
    cp_async16(queries + tile_at<D>(m, chunk), from + head * D + chunk * 8, ok);
  }
  if (warp == 0) {
    const int all = list_tiles(mask + (size_t)item * grid.words(), grid, list);
    if (lane == 0) listed = all;
  }
  __syncthreads();
  const int begin = (int)((long long)listed * part / parts);
  const int end = (int)((long long)listed * (part + 1) / parts);
  const ListedTiles tiles{list + begin, end - begin};
  KeyCopies<D, STAGES, ListedTiles> copies{
      tiles,     keys,         values, slot_of, blocks, span->blocks, grid.kv_of(head) * D, ring, slots,
      grid.keys, grid.kv_heads * D, 0,      0};
  copies.look(0);
  copies.publish(0);
  __syncthreads();
  copies.start(0);
  Queries<D, 2> own;
  own.begin(range, warp * 32, lane);
  const bf16* q = queries + warp * 32 * D;
  for (int i = 0; i < tiles.count; i++) {
    copies.publish(i + 1);
    cp_async_wait<0>();
    __syncthreads();  // this tile is there for all, the one before is free for all
    copies.start(i + 1);
    const int key = tiles[i] * KEYS;
    if (own.reach(0, key)) {
      own.template add<0, true>(ring[i % STAGES], q, key, scale, lane, tiles.halves(i));
    } else if (own.reach(1, key)) {
      own.template add<1, true>(ring[i % STAGES], q, key, scale, lane, tiles.halves(i));
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      SoftmaxState state = own.state[i][h];
      state.l = row_sum(state.l);
      const int m = warp * 32 + i * 16 + (lane >> 2) + 8 * h;
      if (m >= range.count) continue;
      if (parts > 1) {
        const size_t at = ((size_t)item * gridDim.y + part) * grid.block + m;
        if ((lane & 3) == 0) sums[at] = make_float2(state.m, state.l);
        float2* to = reinterpret_cast<float2*>(partial + at * D) + (lane & 3);
#pragma unroll
        for (int n = 0; n < D / 8; n++) {
          to[n * 4] = make_float2(own.o[i][n][2 * h], own.o[i][n][2 * h + 1]);
        }
        continue;
      }
      const float norm = 1.f / state.l;
      const size_t query = first_query + m;
      if ((lane & 3) == 0) lse[query * grid.heads + head] = natural_lse(state);
      uint32_t* to = reinterpret_cast<uint32_t*>(
                         out + ((span->first + query) * grid.heads + head) * D) + (lane & 3);
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        to[n * 4] = pack_bf16(own.o[i][n][2 * h] * norm, own.o[i][n][2 * h + 1] * norm);
      }
    }
  }
}

#define ATTEND(name, D)                                                                            \
  EW_KERNEL void __launch_bounds__(THREADS, 2) name(                                               \
      const bf16* qkv, const bf16* keys, const bf16* values, const int* slot_of,                   \
      const StepSpan* span, const int* blocks, const uint32_t* mask, const int* counts,            \
      const int* order, float* partial, float2* sums, bf16* out, float* lse, float scale,          \
      SparseGrid grid) {                                                                           \
    attend<D>(qkv, keys, values, slot_of, span, blocks, mask, counts, order, partial, sums, out,   \
              lse, scale, grid);                                                                   \
  }                                                                                                \
  EW_EXPORT(name)
ATTEND(sparse_attention_bf16_32, 32)
ATTEND(sparse_attention_bf16_64, 64)
ATTEND(sparse_attention_bf16_128, 128)

// Rows of which the attention was cut into parts.
//   grid    (n, H, 1)   block (D, 1, 1)
EW_KERNEL void sparse_attention_merge(
    const StepSpan* __restrict__ span, const int* __restrict__ counts, int most_parts,
    const float* __restrict__ partial, const float2* __restrict__ sums, bf16* __restrict__ out,
    float* __restrict__ lse, SparseGrid grid) {
  const int i = blockIdx.x, head = blockIdx.y, d = threadIdx.x, D = blockDim.x;
  const int row = (grid.past() + i) / grid.block - grid.first_row();
  const int item = head * grid.rows() + row, parts = parts_of(counts[item], most_parts);
  if (parts == 1) return;
  const size_t first = (size_t)item * most_parts * grid.block + i - grid.first_query(row);
  SoftmaxState all;
  all.clear();
  for (int p = 0; p < parts; p++) all.m = fmaxf(all.m, sums[first + p * grid.block].x);
  float o = 0.f;
  for (int p = 0; p < parts; p++) {
    const size_t at = first + (size_t)p * grid.block;
    const float share = softmax_share(sums[at].x, all.m);
    all.l = __fmaf_rn(sums[at].y, share, all.l);
    o = __fmaf_rn(partial[at * D + d], share, o);
  }
  out[((size_t)(span->first + i) * grid.heads + head) * D + d] = __float2bfloat16(o / all.l);
  if (d == 0) lse[(size_t)i * grid.heads + head] = natural_lse(all);
}
EW_EXPORT(sparse_attention_merge)
