// SPDX-License-Identifier: Apache-2.0
// attention_decode.cu: one new row per stream attends over its whole context.
//   out[t, h] = softmax(q[t, h] . K[0..n) / sqrt(D)) V[0..n),  query head h on KV head h / (H / K)
// Grouped queries: Ainslie et al. 2023. Split over the rows of the context with a merge at the end:
// Dao et al. 2023, "Flash-Decoding". Differs: pieces have a constant number of rows, so that the order
// of a row's sums depends on its own length alone, never on the batch or on free processors.
//
// Kernel 1, attention_decode_bf16_{32,64,128}[_wide]: partial softmax of each piece, all query heads of
// a KV head together, so that K and V are read once. `wide`: more than 8 query heads per KV head; more
// than 16 are taken 16 at a time.
//   grid    (any, 1, 1)       units (item, KV head, 16 heads) are dealt to the blocks in turn, so that
//                             one captured launch fits every length
//   block   (128, 1, 1)       four warps; warp w takes tiles w, w + 4, ... of 16 rows
//   shared  decode_shared_bytes(D, wide), dynamic
//   qkv     [T, (H + 2 K) * D], Q rotated; keys [work rows][W], values [slots][W] of the layer
//   partial [items][H][D] f32, relative to the maximum; sums [items][H] (maximum in log2 units, sum)
//   aligned to 16 bytes: keys, values, D * 2 bytes
// Kernel 2, attention_merge_{bf16,f32}: pieces of a row added in order.
//   grid    (bucket rows, H, 1)   block (D, 1, 1)
//   out     [T, H * D]
// Order   caller's cudaStream; no allocation, no host synchronisation.
// Numerics: scores, maximum and sums in f32, probabilities rounded to bf16 (and summed as rounded).
// Limit: memory. A unit of 256 rows reads 2 * 256 * D elements; each warp keeps two tiles under way
// beside the one it works on, 2 * 16 * D * 2 elements: for D = 128 16 KiB, 64 KiB a block, and two
// blocks a multiprocessor hold 128 KiB, where 4.3 TB/s at 1 us need 33 KiB on each of 132.
#include "common/softmax.cuh"
#include "common/step.cuh"

constexpr int WARPS = 4, STAGES = 3, TILE = 16, THREADS = WARPS * 32;

template <int D> struct Tile {
  bf16 k[TILE * D];
  bf16 v[TILE * D];
};

// How the block's units are numbered: KV heads of the same rows lie side by side, so that the heads
// of a row, which are one piece of memory, are read at about the same time.
struct Units {
  const StepSpan* spans;
  const StepItem* items;
  const int* blocks;
  int head_tiles;  // K * ceil(H / K / 16)
  int count;
};

// A piece of one row's context.
struct Piece {
  int row;             // of the batch
  int from;            // first row of the context
  int rows;            // 1 to SPLIT_ROWS
  const int* blocks;   // the context's work blocks

  __device__ __forceinline__ Piece(const Units& units, int unit) {
    const StepItem item = units.items[unit / units.head_tiles];
    const StepSpan& span = units.spans[item.span];
    row = span.first;
    from = item.part * SPLIT_ROWS;
    rows = min(SPLIT_ROWS, span.rows - from);
    blocks = units.blocks + span.blocks;
  }
};

// The tiles of one warp over all units of its block, as one sequence: copies run ahead of the
// computation across pieces, and the slots of a tile's V are read one tile before they are needed.
template <int D> struct TileCopies {
  const Units& units;
  const bf16* keys;
  const bf16* values;
  const int* slot_of;
  int width, heads_per_kv, lane, warp;

  int unit, tile;      // the next tile to copy; unit >= units.count: none
  Piece piece;
  int place, slot;     // its first row in the working copy; slot of row lane % 16

  __device__ __forceinline__ TileCopies(
      const Units& units, const bf16* keys, const bf16* values, const int* slot_of, int width,
      int tiles_per_kv, int lane, int warp)
      : units(units), keys(keys), values(values), slot_of(slot_of), width(width),
        heads_per_kv(tiles_per_kv), lane(lane), warp(warp), unit(blockIdx.x), tile(warp),
        piece(units, min((int)blockIdx.x, units.count - 1)), place(0), slot(0) {
    look();
  }

  // Finds the place of the tile that is next.
  __device__ __forceinline__ void look() {
    while (unit < units.count && tile * TILE >= piece.rows) {
      unit += gridDim.x;
      tile = warp;
      if (unit < units.count) piece = Piece(units, unit);
    }
    if (unit >= units.count) return;
    place = work_row(piece.blocks, piece.from + tile * TILE);
    const int row = lane & (TILE - 1);
    slot = tile * TILE + row < piece.rows ? slot_of[place + row] : 0;
  }

  // Starts the copy of the next tile, if there is one; one group of copies in any case.
  __device__ __forceinline__ void start(Tile<D>& to) {
    if (unit < units.count) {
      constexpr int CHUNKS = D / 8;
      const int chunk = lane % CHUNKS, live = piece.rows - tile * TILE;
      const int column = unit % units.head_tiles / heads_per_kv * D + chunk * 8;
#pragma unroll
      for (int r = 0; r < TILE; r += 32 / CHUNKS) {
        const int row = r + lane / CHUNKS;
        const int from = __shfl_sync(FULL_WARP, slot, row);
        const bool ok = row < live;
        cp_async16(to.k + tile_at<D>(row, chunk), keys + (size_t)(place + row) * width + column, ok);
        cp_async16(to.v + tile_at<D>(row, chunk), values + (size_t)from * width + column, ok);
      }
      tile += WARPS;
      look();
    }
    cp_async_commit();
  }
};

// Query heads [head, head + 16) of a row as A fragments; heads that do not exist are zeros.
template <int D, bool WIDE>
__device__ __forceinline__ void load_queries(
    uint32_t (&q)[D / 16][1][4], const bf16* token, int live, int lane) {
  const uint32_t* low = reinterpret_cast<const uint32_t*>(token + (lane >> 2) * D) + (lane & 3);
  const uint32_t* high = low + 8 * D / 2;
  const bool has_low = (lane >> 2) < live, has_high = WIDE && (lane >> 2) + 8 < live;
#pragma unroll
  for (int step = 0; step < D / 16; step++) {
    q[step][0][0] = has_low ? low[step * 8] : 0;
    q[step][0][1] = has_high ? high[step * 8] : 0;
    q[step][0][2] = has_low ? low[step * 8 + 4] : 0;
    q[step][0][3] = has_high ? high[step * 8 + 4] : 0;
  }
}

// What a warp knows of 16 query heads after some tiles: half h of a fragment is head lane / 4 + 8 h.
template <int D, bool WIDE> struct Partial {
  static constexpr int HALVES = WIDE ? 2 : 1;
  static constexpr int FLOATS = D / 8 * 2 * HALVES;  // accumulators of a lane that count
  SoftmaxState state[HALVES];
  float o[1][D / 8][4];

  __device__ __forceinline__ Partial() {
#pragma unroll
    for (int h = 0; h < HALVES; h++) state[h].clear();
#pragma unroll
    for (int n = 0; n < D / 8; n++) o[0][n][0] = o[0][n][1] = o[0][n][2] = o[0][n][3] = 0.f;
  }

  // One tile of which the first `live` rows exist.
  __device__ __forceinline__ void add(
      const Tile<D>& tile, const uint32_t (&q)[D / 16][1][4], int live, float scale, int lane) {
    const LaneOrigin<D> origin(lane);
    float s[1][2][4] = {};
#pragma unroll
    for (int step = 0; step < D / 16; step++) add_scores<D>(s, q[step], tile.k, step, origin);
#pragma unroll
    for (int j = 0; j < 2; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        if (j * 8 + (lane & 3) * 2 + (e & 1) >= live) s[0][j][e] = -INFINITY;
      }
    }
    uint32_t p[2][2] = {};
#pragma unroll
    for (int h = 0; h < HALVES; h++) {
      const float before = tile_softmax(s[0], h, scale, state[h], p);
#pragma unroll
      for (int n = 0; n < D / 8; n++) {
        o[0][n][2 * h] *= before;
        o[0][n][2 * h + 1] *= before;
      }
    }
    const uint32_t a[1][4] = {{p[0][0], p[0][1], p[1][0], p[1][1]}};
    add_values<D>(o, a, tile.v, origin);
  }

  // Accumulator i of a lane, i in [0, FLOATS).
  __device__ __forceinline__ float& at(int i) {
    return o[0][i / (2 * HALVES)][i % (2 * HALVES)];
  }
};

// Through which the warps of a block hand their parts to warp 0.
template <int D, bool WIDE> struct Exchange {
  float o[WARPS - 1][Partial<D, WIDE>::FLOATS][32];
  float2 state[WARPS][8 * Partial<D, WIDE>::HALVES];
};

template <int D, bool WIDE> constexpr int decode_shared_bytes() {
  return WARPS * STAGES * (int)sizeof(Tile<D>) + (int)sizeof(Exchange<D, WIDE>);
}

// Adds the four warps' parts, in the order of the warps, and writes the piece's partial softmax.
template <int D, bool WIDE>
__device__ __forceinline__ void write_partial(
    Partial<D, WIDE>& own, Exchange<D, WIDE>& exchange, float* __restrict__ partial,
    float2* __restrict__ sums, int live, int lane, int warp) {
  constexpr int HALVES = Partial<D, WIDE>::HALVES, FLOATS = Partial<D, WIDE>::FLOATS;
  __syncthreads();  // warp 0 is done with the piece before
#pragma unroll
  for (int h = 0; h < HALVES; h++) {
    const float sum = row_sum(own.state[h].l);
    if ((lane & 3) == 0) {
      exchange.state[warp][(lane >> 2) + 8 * h] = make_float2(own.state[h].m, sum);
    }
  }
  if (warp > 0) {
#pragma unroll
    for (int i = 0; i < FLOATS; i++) exchange.o[warp - 1][i][lane] = own.at(i);
  }
  __syncthreads();
  if (warp > 0) return;
  float share[HALVES][WARPS];
#pragma unroll
  for (int h = 0; h < HALVES; h++) {
    const int head = (lane >> 2) + 8 * h;
    float m = -INFINITY, l = 0.f;
#pragma unroll
    for (int w = 0; w < WARPS; w++) m = fmaxf(m, exchange.state[w][head].x);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      share[h][w] = softmax_share(exchange.state[w][head].x, m);
      l = __fmaf_rn(exchange.state[w][head].y, share[h][w], l);
    }
    if ((lane & 3) == 0 && head < live) sums[head] = make_float2(m, l);
  }
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
#pragma unroll
    for (int h = 0; h < HALVES; h++) {
      float2 sum;
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const int i = (n * HALVES + h) * 2 + e;
        float v = own.at(i) * share[h][0];
#pragma unroll
        for (int w = 1; w < WARPS; w++) v = __fmaf_rn(exchange.o[w - 1][i][lane], share[h][w], v);
        (e == 0 ? sum.x : sum.y) = v;
      }
      const int head = (lane >> 2) + 8 * h;
      if (head < live) {
        *reinterpret_cast<float2*>(partial + head * D + n * 8 + (lane & 3) * 2) = sum;
      }
    }
  }
}

template <int D, bool WIDE>
__device__ __forceinline__ void decode(
    const bf16* __restrict__ qkv, const bf16* __restrict__ keys, const bf16* __restrict__ values,
    const int* __restrict__ slot_of, const StepHeader* __restrict__ step,
    const StepSpan* __restrict__ spans, const StepItem* __restrict__ items,
    const int* __restrict__ blocks, float* __restrict__ partial, float2* __restrict__ sums,
    int heads, int kv_heads, float scale) {
  EW_DYN_SMEM(smem);
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  Tile<D>* ring = reinterpret_cast<Tile<D>*>(smem) + warp * STAGES;
  auto& exchange =
      *reinterpret_cast<Exchange<D, WIDE>*>(smem + WARPS * STAGES * sizeof(Tile<D>));
  const int group = heads / kv_heads, per_kv = (group + 15) / 16;
  const Units units{spans, items, blocks, kv_heads * per_kv, step->items * kv_heads * per_kv};
  if ((int)blockIdx.x >= units.count) return;

  TileCopies<D> copies(units, keys, values, slot_of, kv_heads * D, per_kv, lane, warp);
#pragma unroll
  for (int s = 0; s < STAGES - 1; s++) copies.start(ring[s]);
  int stage = 0;
  for (int unit = blockIdx.x; unit < units.count; unit += gridDim.x) {
    const Piece piece(units, unit);
    const int kv = unit % units.head_tiles / per_kv, first = unit % per_kv * 16;
    const int live = min(16, group - first), head = kv * group + first;
    uint32_t q[D / 16][1][4];
    load_queries<D, WIDE>(
        q, qkv + ((size_t)piece.row * (heads + 2 * kv_heads) + head) * D, live, lane);
    Partial<D, WIDE> own;
    for (int tile = warp; tile * TILE < piece.rows; tile += WARPS) {
      cp_async_wait<STAGES - 2>();
      __syncwarp();  // this tile is there for all lanes, the one before is free for all
      copies.start(ring[stage == 0 ? STAGES - 1 : stage - 1]);
      own.add(ring[stage], q, piece.rows - tile * TILE, scale, lane);
      stage = stage == STAGES - 1 ? 0 : stage + 1;
    }
    const size_t at = (size_t)(unit / units.head_tiles) * heads + head;
    write_partial<D, WIDE>(own, exchange, partial + at * D, sums + at, live, lane, warp);
  }
}

#define DECODE(name, D, WIDE)                                                                      \
  EW_KERNEL void __launch_bounds__(THREADS, 2) name(                                               \
      const bf16* qkv, const bf16* keys, const bf16* values, const int* slot_of,                   \
      const StepHeader* step, const StepSpan* spans, const StepItem* items, const int* blocks,     \
      float* partial, float2* sums, int heads, int kv_heads, float scale) {                        \
    decode<D, WIDE>(qkv, keys, values, slot_of, step, spans, items, blocks, partial, sums, heads,  \
                    kv_heads, scale);                                                              \
  }                                                                                                \
  EW_EXPORT(name)
DECODE(attention_decode_bf16_32, 32, false)
DECODE(attention_decode_bf16_64, 64, false)
DECODE(attention_decode_bf16_128, 128, false)
DECODE(attention_decode_bf16_32_wide, 32, true)
DECODE(attention_decode_bf16_64_wide, 64, true)
DECODE(attention_decode_bf16_128_wide, 128, true)

__device__ __forceinline__ void store(bf16* to, float v) { *to = __float2bfloat16(v); }
__device__ __forceinline__ void store(float* to, float v) { *to = v; }

template <class T>
__device__ __forceinline__ void merge(
    const StepHeader* __restrict__ step, const StepSpan* __restrict__ spans,
    const float* __restrict__ partial, const float2* __restrict__ sums, T* __restrict__ out) {
  const int row = blockIdx.x, head = blockIdx.y, heads = gridDim.y, d = threadIdx.x, D = blockDim.x;
  if (row >= step->rows) return;
  const StepSpan& span = spans[row];
  const int pieces = (span.rows + SPLIT_ROWS - 1) / SPLIT_ROWS;
  const size_t first = (size_t)span.first_item * heads + head;
  float m = -INFINITY;
  for (int i = 0; i < pieces; i++) m = fmaxf(m, sums[first + (size_t)i * heads].x);
  float l = 0.f, o = 0.f;
  for (int i = 0; i < pieces; i++) {
    const size_t at = first + (size_t)i * heads;
    const float share = softmax_share(sums[at].x, m);
    l = __fmaf_rn(sums[at].y, share, l);
    o = __fmaf_rn(partial[at * D + d], share, o);
  }
  store(out + ((size_t)row * heads + head) * D + d, o / l);
}

EW_KERNEL void attention_merge_bf16(
    const StepHeader* step, const StepSpan* spans, const float* partial, const float2* sums,
    bf16* out) {
  merge(step, spans, partial, sums, out);
}
EW_EXPORT(attention_merge_bf16)

EW_KERNEL void attention_merge_f32(
    const StepHeader* step, const StepSpan* spans, const float* partial, const float2* sums,
    float* out) {
  merge(step, spans, partial, sums, out);
}
EW_EXPORT(attention_merge_f32)
