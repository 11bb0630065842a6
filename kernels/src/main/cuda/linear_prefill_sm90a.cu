// SPDX-License-Identifier: Apache-2.0
// linear_prefill_sm90a.cu: products of many rows, y = x w^T + bias, by wgmma; for compute capability 9.0 alone.
// A tile of 128 tokens x ROWS (128, 192 or 256) outputs at a time. A group of four warps fetches: images of weights by
// bulk copy, tokens by cp.async into the same swizzle. Two groups multiply, 64 tokens each, with one wgmma under way
// while the next is issued. Blocks stay for several tiles, so that the next tile's operands come while the last one is
// stored. Registers need not be moved between the groups: 160 of the 168 that each thread may have.
// Each output is one accumulator over k in order: its bits do not depend on T, on the tile's place or on ROWS.
//
// Launch contract (CudaLinear checks it; the kernel does not)
//   grid    (blocks): any number; as many as multiprocessors, or as tiles (see `Tiles`) if they are fewer
//   block   384 threads
//   shared  RING_BYTES + 128 dynamic
//   x [T, K] bf16, 16-byte aligned; weights in tile images; bias [N] f32 or null; out [T, N], 16-byte aligned, overlaps
//   nothing
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: products and sums in f32; one rounding, to bf16, at the store.
// Limit: tensor cores. 2 T N K operations.
#include "common/linear_tiles.cuh"

constexpr int TOKENS = 128, GROUP = 128, CONSUMERS = 2, THREADS = (1 + CONSUMERS) * GROUP;
constexpr int GROUP_TOKENS = TOKENS / CONSUMERS;  // the 64 rows of a wgmma
constexpr int X_BYTES = TOKENS * ROW_BYTES;
constexpr int HALF_ROWS = 64, HALF_BYTES = HALF_ROWS * ROW_BYTES;  // weights come by half images
constexpr int RING_BYTES = 192 * 1024;  // of 227 KB: six stages of 32 KB, four of 40 or 48 KB
constexpr int LAG = 2;                  // stages of tokens under way beside the one that is asked for

// Stages that go round between the group that fetches and those that multiply.
template <int ROWS> struct Ring {
  static constexpr int STAGE_BYTES = X_BYTES + ROWS * ROW_BYTES, STAGES = RING_BYTES / STAGE_BYTES;
  static_assert(LAG < STAGES, "a fetcher that announces late must not wait for a stage that nobody can free");
  unsigned char* const base;
  int at = 0, parity = 0;  // of the current stage

  __device__ __forceinline__ explicit Ring(unsigned char* smem) : base(smem) {}
  __device__ __forceinline__ unsigned char* stage() const { return base + at * STAGE_BYTES; }
  // Full: the stage's bytes are there; every fetching thread arrives, and the first once more for the bulk copies.
  __device__ __forceinline__ uint64_t* full() const { return reinterpret_cast<uint64_t*>(base + RING_BYTES) + at; }
  // Empty: the stage was multiplied; every multiplying warp arrives.
  __device__ __forceinline__ uint64_t* empty() const { return full() + STAGES; }
  __device__ __forceinline__ void next() {
    if (++at == STAGES) {
      at = 0;
      parity ^= 1;
    }
  }
};

__device__ __forceinline__ void multiply_step(float (&acc)[64], uint64_t x, uint64_t w) { wgmma_m64n128k16(acc, x, w); }
__device__ __forceinline__ void multiply_step(float (&acc)[96], uint64_t x, uint64_t w) { wgmma_m64n192k16(acc, x, w); }
__device__ __forceinline__ void multiply_step(float (&acc)[128], uint64_t x, uint64_t w) { wgmma_m64n256k16(acc, x, w); }

template <int ROWS>
__device__ __forceinline__ void fetch(Ring<ROWS> ring, const bf16* __restrict__ x, const bf16* __restrict__ weights,
                                      int tokens, int rows, int columns) {
  const int thread = threadIdx.x % GROUP, steps = ceil_div(columns, TILE_COLUMNS);
  const unsigned char* const images = reinterpret_cast<const unsigned char*>(weights);
  const Tiles<TOKENS, ROWS> tiles(tokens, rows);
  Ring<ROWS> landed = ring;  // the next stage to announce
  int ahead = 0;
  auto announce = [&] {
    fence_proxy_async();  // this thread's part of the tokens, for wgmma
    mbar_arrive(landed.full());
    landed.next();
  };
  for (int tile = blockIdx.x; tile < tiles.count(); tile += gridDim.x) {
    int token0, row0;
    tiles.place(tile, token0, row0);
    const int halves = min(ROWS, rows - row0 + HALF_ROWS - 1) / HALF_ROWS;  // none beyond the images
    for (int step = 0; step < steps; step++) {
      mbar_wait(ring.empty(), ring.parity ^ 1);
      if (thread == 0) {
        mbar_arrive_expect(ring.full(), halves * HALF_BYTES);
        for (int i = 0; i < halves; i++) {
          const int half = row0 / HALF_ROWS + i;
          bulk_copy(ring.stage() + X_BYTES + i * HALF_BYTES,
                    images + ((size_t)(half / 2) * steps + step) * TILE_BYTES + half % 2 * HALF_BYTES, HALF_BYTES,
                    ring.full());
        }
      }
      stage_rows<TOKENS, GROUP>(ring.stage(), x, token0, tokens, step * TILE_COLUMNS, columns, thread);
      cp_async_commit();
      ring.next();
      if (ahead == LAG) {
        cp_async_wait<LAG>();
        announce();
      } else {
        ahead++;
      }
    }
  }
  cp_async_wait<0>();
  for (; ahead > 0; ahead--) announce();
}

// A tile whose tokens are all absent for this group: only the ring goes on.
template <int ROWS> __device__ __forceinline__ void pass(Ring<ROWS>& ring, int steps, int lane) {
  for (int step = 0; step < steps; step++) {
    mbar_wait(ring.full(), ring.parity);
    if (lane == 0) mbar_arrive(ring.empty());
    ring.next();
  }
}

template <int ROWS, Output O>
__device__ __forceinline__ void multiply(Ring<ROWS> ring, const float* __restrict__ bias, void* __restrict__ out,
                                         int tokens, int rows, int columns) {
  const int group = threadIdx.x / GROUP - 1, warp = threadIdx.x / 32 % 4, lane = threadIdx.x & 31;
  const int steps = ceil_div(columns, TILE_COLUMNS);
  const Tiles<TOKENS, ROWS> tiles(tokens, rows);
  for (int tile = blockIdx.x; tile < tiles.count(); tile += gridDim.x) {
    int token0, row0;
    tiles.place(tile, token0, row0);
    token0 += group * GROUP_TOKENS;
    if (token0 >= tokens) {
      pass(ring, steps, lane);
      continue;
    }
    float acc[ROWS / 2] = {};
    wgmma_settle(acc);
    Ring<ROWS> done = ring;  // the stage before the current one
    for (int step = 0; step < steps; step++) {
      mbar_wait(ring.full(), ring.parity);
      const uint64_t xs = wgmma_desc(ring.stage() + group * GROUP_TOKENS * ROW_BYTES);
      const uint64_t ws = wgmma_desc(ring.stage() + X_BYTES);
      wgmma_fence();
#pragma unroll
      for (int kk = 0; kk < TILE_COLUMNS / 16; kk++) multiply_step(acc, xs + 2 * kk, ws + 2 * kk);
      wgmma_commit();
      wgmma_wait<1>();  // all but this stage's
      if (step > 0) {
        if (lane == 0) mbar_arrive(done.empty());
        done.next();
      }
      ring.next();
    }
    wgmma_wait<0>();
    wgmma_settle(acc);
    if (lane == 0) mbar_arrive(done.empty());
#pragma unroll
    for (int j = 0; j < ROWS / 8; j += 2)
#pragma unroll
      for (int h = 0; h < 2; h++)
        store_sixteen<O>(out, bias, token0 + warp * 16 + (lane >> 2) + h * 8, tokens, row0 + j * 8, rows,
                         acc[j * 4 + h * 2], acc[j * 4 + h * 2 + 1], acc[j * 4 + 4 + h * 2], acc[j * 4 + 5 + h * 2]);
  }
}

template <int ROWS, Output O>
__device__ __forceinline__ void linear_prefill(const bf16* __restrict__ x, const bf16* __restrict__ weights,
                                               const float* __restrict__ bias, void* __restrict__ out, int tokens,
                                               int rows, int columns) {
  EW_DYN_SMEM(smem);
  const Ring<ROWS> ring(smem);
  if (threadIdx.x == 0) {
    for (int i = 0; i < Ring<ROWS>::STAGES; i++) {
      mbar_init(ring.full() + i, GROUP + 1);
      mbar_init(ring.empty() + i, CONSUMERS * GROUP / 32);
    }
    mbar_init_fence();
  }
  __syncthreads();
  if (threadIdx.x < GROUP) fetch<ROWS>(ring, x, weights, tokens, rows, columns);
  else multiply<ROWS, O>(ring, bias, out, tokens, rows, columns);
}

#define LINEAR_PREFILL(name, width, output)                                                                        \
  EW_KERNEL void __launch_bounds__(THREADS, 1)                                                                     \
      name(const bf16* __restrict__ x, const bf16* __restrict__ weights, const float* __restrict__ bias,           \
           void* __restrict__ out, int tokens, int rows, int columns) {                                            \
    linear_prefill<width, output>(x, weights, bias, out, tokens, rows, columns);                                   \
  }                                                                                                                \
  EW_EXPORT(name)
#define LINEAR_PREFILLS(width)                                               \
  LINEAR_PREFILL(linear_prefill_sm90a_##width##_bf16, width, Output::BF16)   \
  LINEAR_PREFILL(linear_prefill_sm90a_##width##_f32, width, Output::F32)     \
  LINEAR_PREFILL(linear_prefill_sm90a_##width##_add, width, Output::ADD)

LINEAR_PREFILLS(128)
LINEAR_PREFILLS(192)
LINEAR_PREFILLS(256)
