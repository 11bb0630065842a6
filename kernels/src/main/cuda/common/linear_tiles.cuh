// SPDX-License-Identifier: Apache-2.0
// common/linear_tiles.cuh: the order in which the tiles of a large product are taken.
#pragma once
#include "common/linear.cuh"

// Tiles that run at the same time should share operands in L2: tiles go down the tokens first, sixteen tiles of them at
// a time, so that 132 blocks span about sixteen tiles of tokens by eight of weights.
template <int TOKENS, int ROWS> struct Tiles {
  static constexpr int GROUP = 16;
  int down, across;

  __device__ __forceinline__ Tiles(int tokens, int rows) : down(ceil_div(tokens, TOKENS)), across(ceil_div(rows, ROWS)) {}

  __device__ __forceinline__ int count() const { return down * across; }

  __device__ __forceinline__ void place(int index, int& token, int& row) const {
    const int group = index / (GROUP * across), first = group * GROUP, inside = index - first * across;
    const int high = min(GROUP, down - first);
    token = (first + inside % high) * TOKENS;
    row = inside / high * ROWS;
  }
};
