// SPDX-License-Identifier: Apache-2.0
// Attention of one span over chosen key blocks: the grid of blocks and the bits of a choice.
// Lai et al., FlexPrefill, ICLR 2025 (arXiv 2502.20766), with a context before the span.
#pragma once
#include "common/step.cuh"

typedef unsigned long long u64;

// Lengths of a span, from which all sizes follow. Key block c is rows [c B, (c + 1) B) of the context,
// row block r the span's queries among them; the grid counts from the context's first row.
struct SparseGrid {
  int heads;     // H
  int kv_heads;  // K
  int block;     // B, a multiple of 32 up to 128
  int queries;   // n
  int keys;      // N, the n new rows included

  __device__ __forceinline__ int past() const { return keys - queries; }
  __device__ __forceinline__ int blocks() const { return (keys + block - 1) / block; }
  __device__ __forceinline__ int words() const { return (blocks() + 31) / 32; }
  __device__ __forceinline__ int first_row() const { return past() / block; }
  __device__ __forceinline__ int rows() const { return blocks() - first_row(); }
  __device__ __forceinline__ int probes() const { return min(block, queries); }
  // Tiles of WORK_BLOCK_ROWS keys.
  __device__ __forceinline__ int tiles() const {
    return (keys + WORK_BLOCK_ROWS - 1) / WORK_BLOCK_ROWS;
  }
  __device__ __forceinline__ int kv_of(int head) const { return head / (heads / kv_heads); }
  // Queries [first_query(row), first_query(row + 1)) of the span are row block `row`, counted from the
  // span's first.
  __device__ __forceinline__ int first_query(int row) const {
    return max(0, min(queries, (first_row() + row) * block - past()));
  }
};

// Q rows of a batch: [T, (H + 2 K) * D].
__device__ __forceinline__ size_t qkv_width(const SparseGrid& grid, int head_dim) {
  return (size_t)(grid.heads + 2 * grid.kv_heads) * head_dim;
}

constexpr int MOST_BLOCKS = 4096;  // nb

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
static_assert(sizeof(SparseHead) == 48, "as SparseLayout of Java has it");

// Rows of Q whose attention is taken as representative, and places for them.
constexpr int MOST_PROBES = 128;

// Whether bit `c` of a row of bits is set.
__device__ __forceinline__ bool has_bit(const uint32_t* words, int c) {
  return words[c >> 5] >> (c & 31) & 1;
}

// Sum over the block in the order of threads, lanes and warps, whatever the device; all get it.
// `part` is shared, one for each warp.
template <class T> __device__ __forceinline__ T block_sum(T v, T* part) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = v;
  __syncthreads();
  v = part[0];
  for (int w = 1; w < (int)blockDim.x / 32; w++) v += part[w];
  __syncthreads();
  return v;
}

__device__ __forceinline__ float block_max(float v, float* part) {
#pragma unroll
  for (int o = 16; o; o >>= 1) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, o));
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = v;
  __syncthreads();
  v = part[0];
  for (int w = 1; w < (int)blockDim.x / 32; w++) v = fmaxf(v, part[w]);
  __syncthreads();
  return v;
}
