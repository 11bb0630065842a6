// SPDX-License-Identifier: Apache-2.0
// attention_prefill.cu: the new rows of each span attend over context and themselves, causally.
//   out[t, h] = softmax(q[t, h] . K[0..n_t) / sqrt(D)) V[0..n_t),  n_t = context row of t, plus one
// Dao 2023, FlashAttention-2, algorithm 1. Differs: keys come through the working copy's blocks and
// the slots of V; the query heads of one KV head are stacked, so that K and V are read once for all.
//
// attention_prefill_bf16_{32,64,128}_{4,8}: 4 or 8 warps, 16 queries each. A query is a (row, head of
// the group) pair, m = row * G + head; a tile holds queries [16 warps * part, ...) of one span.
//   grid    (items, K, 1)
//   block   (32 warps, 1, 1)
//   shared  STAGES * 2 * 64 * D * 2 bytes, dynamic
//   qkv     [T, (H + 2 K) * D], Q rotated; keys [work rows][W], values [slots][W] of the layer
//   out     [T, H * D]
//   aligned to 16 bytes: keys, values, D * 2 bytes
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: as the decode kernel. Keys are taken 64 at a time from the first on and each 16 queries
// stop at their own last one, so that bits depend neither on the batch nor on the number of warps.
// Limit: tensor cores. 4 * 16 warps * 64 * D operations per 64 rows of K and V: with 8 warps 128
// operations a byte that comes from the second-level cache.
#include "common/softmax.cuh"
#include "common/step.cuh"

constexpr int STAGES = 3, KEYS = WORK_BLOCK_ROWS;

template <int D> struct KeyTile {
  bf16 k[KEYS * D];
  bf16 v[KEYS * D];
};

// Which key tiles a block of queries visits, in order. All of them: dense, causal.
struct DenseTiles {
  int count;
  __device__ __forceinline__ int operator[](int i) const { return i; }
};

// Copies of the tiles of one KV head. The work block of a tile is read two tiles ahead, the slots of
// its V one tile ahead, so that nobody waits for an address.
template <int D, int WARPS, class Tiles> struct KeyCopies {
  static constexpr int CHUNKS = D / 8;
  static constexpr int PASS = WARPS * 32 / CHUNKS;                // rows in one go of the block
  static constexpr int PASSES = KEYS / PASS > 0 ? KEYS / PASS : 1;
  const Tiles tiles;
  const bf16* keys;
  const bf16* values;
  const int* slot_of;
  const int* blocks;
  int rows, width, row, chunk;  // row and chunk of the first pass
  int next, place, place_after; // the next tile to copy, its rows and those of the one after
  int slots[PASSES];

  __device__ __forceinline__ KeyCopies(
      const Tiles& tiles, const bf16* keys, const bf16* values, const int* slot_of,
      const int* blocks, int rows, int width)
      : tiles(tiles), keys(keys), values(values), slot_of(slot_of), blocks(blocks), rows(rows),
        width(width), row(threadIdx.x / CHUNKS), chunk(threadIdx.x % CHUNKS), next(0),
        place(place_of(0)), place_after(place_of(1)) {
    look();
  }

  __device__ __forceinline__ int place_of(int i) const {
    return i < tiles.count ? blocks[tiles[i]] * KEYS : 0;
  }

  __device__ __forceinline__ bool exists(int pass) const {
    const int r = row + pass * PASS;
    return r < KEYS && tiles[next] * KEYS + r < rows;
  }

  __device__ __forceinline__ void look() {
    if (next >= tiles.count) return;
#pragma unroll
    for (int i = 0; i < PASSES; i++) slots[i] = exists(i) ? slot_of[place + row + i * PASS] : 0;
  }

  // Starts the copy of the next tile, if there is one; one group of copies in any case.
  __device__ __forceinline__ void start(KeyTile<D>& to) {
    if (next < tiles.count) {
#pragma unroll
      for (int i = 0; i < PASSES; i++) {
        const int r = row + i * PASS;
        if (PASS <= KEYS || r < KEYS) {
          const bool ok = exists(i);
          cp_async16(to.k + tile_at<D>(r, chunk), keys + (size_t)(place + r) * width + chunk * 8, ok);
          cp_async16(to.v + tile_at<D>(r, chunk), values + (size_t)slots[i] * width + chunk * 8, ok);
        }
      }
      next++;
      place = place_after;
      place_after = place_of(next + 1);
      look();
    }
    cp_async_commit();
  }
};

// The 16 queries of a warp.
template <int D> struct Queries {
  uint32_t q[D / 16][4];
  SoftmaxState state[2];
  float o[D / 8][4];

  // Half h of the fragments: query first + lane / 4 + 8 h, zeros where it does not exist.
  __device__ __forceinline__ void load(const bf16* const (&token)[2], int lane) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const uint32_t* from = reinterpret_cast<const uint32_t*>(token[h]) + (lane & 3);
#pragma unroll
      for (int step = 0; step < D / 16; step++) {
        q[step][h] = token[h] ? from[step * 8] : 0;
        q[step][h + 2] = token[h] ? from[step * 8 + 4] : 0;
      }
      state[h].clear();
    }
#pragma unroll
    for (int n = 0; n < D / 8; n++) o[n][0] = o[n][1] = o[n][2] = o[n][3] = 0.f;
  }

  // One tile of keys, of which half h of the queries sees the first visible[h] (or all).
  __device__ __forceinline__ void add(
      const KeyTile<D>& tile, const int (&visible)[2], bool masked, float scale, int lane) {
    float s[KEYS / 8][4] = {};
    tile_scores<D>(s, q, tile.k, lane);
    if (masked) {
#pragma unroll
      for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          if (j * 8 + (lane & 3) * 2 + (e & 1) >= visible[e >> 1]) s[j][e] = -INFINITY;
        }
      }
    }
    uint32_t p[KEYS / 8][2];
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float before = tile_softmax(s, h, scale, state[h], p);
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        o[n][2 * h] *= before;
        o[n][2 * h + 1] *= before;
      }
    }
#pragma unroll
    for (int j = 0; j < KEYS / 8; j += 2) {
      const uint32_t a[4] = {p[j][0], p[j][1], p[j + 1][0], p[j + 1][1]};
      tile_values<D>(o, a, tile.v + j * 8 * D, lane);
    }
  }
};

template <int D, int WARPS>
__device__ __forceinline__ void prefill(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const bf16* __restrict__ values,
    const int* __restrict__ slot_of, const StepSpan* __restrict__ spans,
    const StepItem* __restrict__ items, const int* __restrict__ blocks, bf16* __restrict__ out,
    int heads, int kv_heads, float scale) {
  EW_DYN_SMEM(smem);
  KeyTile<D>* ring = reinterpret_cast<KeyTile<D>*>(smem);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, kv = blockIdx.y;
  const StepItem item = items[blockIdx.x];
  const StepSpan span = spans[item.span];
  const int group = heads / kv_heads, past = span.rows - span.count;
  const int queries = span.count * group;
  const int block_first = item.part * 16 * WARPS, first = block_first + warp * 16;
  // Rows of the context that the last query of the block, and that first and last of the warp see.
  const int block_sees = past + (min(block_first + 16 * WARPS, queries) - 1) / group + 1;
  const int first_sees = past + first / group + 1;
  const int last_sees = first < queries ? past + (min(first + 16, queries) - 1) / group + 1 : 0;

  const bf16* token[2];
  int sees[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int m = first + (lane >> 2) + 8 * h;
    const size_t row = span.first + m / group;
    token[h] = m < queries
        ? qkv + (row * (heads + 2 * kv_heads) + kv * group + m % group) * D
        : nullptr;
    sees[h] = past + m / group + 1;
  }
  Queries<D> own;
  own.load(token, lane);

  const DenseTiles tiles{(block_sees + KEYS - 1) / KEYS};
  KeyCopies<D, WARPS, DenseTiles> copies(
      tiles, keys + kv * D, values + kv * D, slot_of, blocks + span.blocks, span.rows, kv_heads * D);
#pragma unroll
  for (int s = 0; s < STAGES - 1; s++) copies.start(ring[s]);
  int stage = 0;
  for (int i = 0; i < tiles.count; i++) {
    cp_async_wait<STAGES - 2>();
    __syncthreads();  // this tile is there for all, the one before is free for all
    copies.start(ring[stage == 0 ? STAGES - 1 : stage - 1]);
    const int key = tiles[i] * KEYS;
    if (key < last_sees) {
      const int visible[2] = {sees[0] - key, sees[1] - key};
      own.add(ring[stage], visible, key + KEYS > first_sees, scale, lane);
    }
    stage = stage == STAGES - 1 ? 0 : stage + 1;
  }
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const float norm = 1.f / row_sum(own.state[h].l);
    const int m = first + (lane >> 2) + 8 * h;
    if (m >= queries) continue;
    const size_t row = span.first + m / group;
    uint32_t* to =
        reinterpret_cast<uint32_t*>(out + (row * heads + kv * group + m % group) * D) + (lane & 3);
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      to[n * 4] = pack_bf16(own.o[n][2 * h] * norm, own.o[n][2 * h + 1] * norm);
    }
  }
}

#define PREFILL(D, WARPS)                                                                          \
  EW_KERNEL void __launch_bounds__(WARPS * 32, 8 / WARPS) attention_prefill_bf16_##D##_##WARPS(    \
      const bf16* qkv, const bf16* keys, const bf16* values, const int* slot_of,                   \
      const StepSpan* spans, const StepItem* items, const int* blocks, bf16* out, int heads,       \
      int kv_heads, float scale) {                                                                 \
    prefill<D, WARPS>(                                                                             \
        qkv, keys, values, slot_of, spans, items, blocks, out, heads, kv_heads, scale);            \
  }                                                                                                \
  EW_EXPORT(attention_prefill_bf16_##D##_##WARPS)
PREFILL(32, 4)
PREFILL(32, 8)
PREFILL(64, 4)
PREFILL(64, 8)
PREFILL(128, 4)
PREFILL(128, 8)
