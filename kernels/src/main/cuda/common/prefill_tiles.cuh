// SPDX-License-Identifier: Apache-2.0
// What dense and block-sparse prefill attention have in common: tiles of 64 keys that come through the
// working copy's blocks and the slots of V, and the queries of a warp that take them in, one tile after
// the other. Four warps; which tiles a block visits is a `Tiles`: a count and the number of each.
#pragma once
#include "common/softmax.cuh"
#include "common/step.cuh"

constexpr int WARPS = 4, THREADS = WARPS * 32, KEYS = WORK_BLOCK_ROWS;

template <int D> struct KeyTile {
  bf16 k[KEYS * D];
  bf16 v[KEYS * D];
};

// Slots of the rows of the tile that is next and of the one after, in turn.
typedef int SlotTable[2][KEYS];

// Copies of the tiles of one KV head. The slots of a tile's V are read a tile ahead, each by one
// thread, so that nobody waits for an address.
template <int D, int STAGES, class Tiles> struct KeyCopies {
  static constexpr int CHUNKS = D / 8;
  static constexpr int PASS = THREADS / CHUNKS;  // rows in one go of the block
  const Tiles tiles;
  const bf16* keys;
  const bf16* values;
  const int* slot_of;
  const int* blocks;
  int list;    // where the context's blocks begin
  int column;  // of the KV head in a row
  KeyTile<D>* ring;
  SlotTable& table;
  int rows, width;
  int place, slot;  // work rows of the tile that is next; the slot of its row threadIdx.x

  // Looks where tile i of the list is.
  __device__ __forceinline__ void look(int i) {
    if (i >= tiles.count) return;
    place = blocks[list + tiles[i]] * KEYS;
    const int row = threadIdx.x;
    if (row < KEYS) slot = tiles[i] * KEYS + row < rows ? slot_of[place + row] : 0;
  }

  // Tells the block the slots of tile i, which look found; a barrier must follow, then start.
  __device__ __forceinline__ void publish(int i) {
    if (threadIdx.x < KEYS) table[i & 1][threadIdx.x] = slot;
  }

  // Starts the copy of tile i, if there is one, and looks for the next; one group of copies in any
  // case.
  __device__ __forceinline__ void start(int i) {
    if (i < tiles.count) {
      const int chunk = threadIdx.x % CHUNKS, live = rows - tiles[i] * KEYS;
      const int at = column + chunk * 8;
      KeyTile<D>& to = ring[i % STAGES];
#pragma unroll
      for (int r = 0; r < KEYS; r += PASS) {
        const int row = r + threadIdx.x / CHUNKS;
        const bool ok = row < live;
        cp_async16(to.k + tile_at<D>(row, chunk), keys + (size_t)(place + row) * width + at, ok);
        const int from = table[i & 1][row];
        cp_async16(to.v + tile_at<D>(row, chunk), values + (size_t)from * width + at, ok);
      }
      look(i + 1);
    }
    cp_async_commit();
  }
};

// M times 16 queries of a warp: half h of a fragment is query lane / 4 + 8 h of its 16.
template <int D, int M> struct Queries {
  SoftmaxState state[M][2];
  float o[M][D / 8][4];
  int sees[M][2];  // rows of the context that the lane's queries see

  template <class Range>
  __device__ __forceinline__ void begin(const Range& range, int first, int lane) {
#pragma unroll
    for (int m = 0; m < M; m++) {
      const int own = first + m * 16;
      state[m][0].clear();
      state[m][1].clear();
      sees[m][0] = range.sees(own + (lane >> 2));
      sees[m][1] = range.sees(own + (lane >> 2) + 8);
#pragma unroll
      for (int n = 0; n < D / 8; n++) o[m][n][0] = o[m][n][1] = o[m][n][2] = o[m][n][3] = 0.f;
    }
  }

  // Whether any of 16 queries sees the row; the same for all lanes.
  __device__ __forceinline__ bool reach(int m, int row) const {
    return __any_sync(FULL_WARP, row < sees[m][0] || row < sees[m][1]);
  }

  // Adds a tile of keys, the first of which is row `key` of the context, to the 16s [FROM, M).
  // SPARSE: of its two times 32 keys only those count that have a bit in `halves`, and probabilities
  // are summed before they are rounded.
  template <int FROM, bool SPARSE = false>
  __device__ __forceinline__ void add(
      const KeyTile<D>& tile, const bf16* q, int key, float scale, int lane, int halves = 3) {
    constexpr int N = M - FROM;
    const LaneOrigin<D> origin(lane);
    float s[N][KEYS / 8][4] = {};
#pragma unroll 2  // all eight of D = 128 at once, in the wide form, cost registers that are not there
    for (int step = 0; step < D / 16; step++) {
      uint32_t a[N][4];
#pragma unroll
      for (int m = 0; m < N; m++) {
        ldmatrix_x4(a[m], q + (FROM + m) * 16 * D + (origin.rows ^ step * 16));
      }
      add_scores<D>(s, a, tile.k, step, origin);
    }
    uint32_t p[N][KEYS / 8][2];
#pragma unroll
    for (int m = 0; m < N; m++) {
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int visible = sees[FROM + m][h] - key;
        if (visible < KEYS) {
#pragma unroll
          for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
            for (int e = 0; e < 2; e++) {
              if (j * 8 + (lane & 3) * 2 + e >= visible) s[m][j][2 * h + e] = -INFINITY;
            }
          }
        }
        if (SPARSE && halves != 3) {
#pragma unroll
          for (int j = 0; j < KEYS / 8; j++) {
            if (!(halves >> j / 4 & 1)) s[m][j][2 * h] = s[m][j][2 * h + 1] = -INFINITY;
          }
        }
        const float before = tile_softmax<SPARSE>(s[m], h, scale, state[FROM + m][h], p[m]);
#pragma unroll
        for (int n = 0; n < D / 8; n++) {
          o[FROM + m][n][2 * h] *= before;
          o[FROM + m][n][2 * h + 1] *= before;
        }
      }
    }
    auto& sums = reinterpret_cast<float(&)[N][D / 8][4]>(o[FROM]);
#pragma unroll
    for (int j = 0; j < KEYS / 8; j += 2) {
      uint32_t a[N][4];
#pragma unroll
      for (int m = 0; m < N; m++) {
        a[m][0] = p[m][j][0];
        a[m][1] = p[m][j][1];
        a[m][2] = p[m][j + 1][0];
        a[m][3] = p[m][j + 1][1];
      }
      add_values<D>(sums, a, tile.v + j * 8 * D, origin);
    }
  }
};
