// SPDX-License-Identifier: Apache-2.0
// common/linear.cuh: what the product kernels share. Tile images of weights, staging of activations, epilogue.
//
//   y[t, n] = bias[n] + sum_k x[t, k] w[n, k]          x [T, K], w [N, K], y [T, N]
//
// Weights stand in tile images [N/128][K/64][128 rows][8 chunks of 16 bytes], zero where padded; chunk j of row r
// is at j ^ (r & 7). It is the 128-byte swizzle that wgmma reads; ldmatrix reads it without bank conflicts; a tile
// and each slice of whole rows of it are contiguous. Activations are staged in the same form.
#pragma once
#include "common/activation.cuh"

constexpr int TILE_ROWS = 128, TILE_COLUMNS = 64;  // 64 bf16 = 128 bytes = the widest swizzle
constexpr int ROW_BYTES = TILE_COLUMNS * 2, TILE_BYTES = TILE_ROWS * ROW_BYTES;

// What becomes of a sum. ADD: the residual form, out += y in f32.
enum class Output { BF16, F32, ADD };

__device__ __forceinline__ int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Where chunk j (8 bf16) of a row stands in a tile.
__device__ __forceinline__ int chunk_offset(int row, int chunk) {
  return row * ROW_BYTES + ((chunk ^ (row & 7)) << 4);
}

// Eight elements one by one, zero from `valid` on: rows of odd length have no alignment to speak of.
__device__ __forceinline__ void copy_chunk_slowly(unsigned char* to, const bf16* from, int valid) {
  const unsigned short* bits = reinterpret_cast<const unsigned short*>(from);
  uint32_t word[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const uint32_t low = 2 * i < valid ? bits[2 * i] : 0, high = 2 * i + 1 < valid ? bits[2 * i + 1] : 0;
    word[i] = low | high << 16;
  }
  *reinterpret_cast<uint4*>(to) = make_uint4(word[0], word[1], word[2], word[3]);
}

// Copies rows [first, first + ROWS) and columns [column, column + 64) of x [rows, columns] to a tile, by THREADS
// threads; what lies outside x becomes zero. Asynchronous: the caller commits and waits. x is 16-byte aligned; its rows
// are as aligned as `columns` says, and a multiple of four is no rarity (the vision tower's 3420).
template <int ROWS, int THREADS>
__device__ __forceinline__ void stage_rows(unsigned char* tile, const bf16* __restrict__ x, int first, int rows,
                                           int column, int columns, int thread) {
#pragma unroll
  for (int i = 0; i < ROWS * 8 / THREADS; i++) {
    const int c = thread + i * THREADS, row = c >> 3, chunk = c & 7, k = column + chunk * 8;
    const bool inside = first + row < rows && k < columns;
    const bf16* from = inside ? x + (size_t)(first + row) * columns + k : x;
    unsigned char* to = tile + chunk_offset(row, chunk);
    if ((columns & 7) == 0) {
      cp_async16(to, from, inside);
    } else if ((columns & 3) == 0) {
      const bool second = inside && k + 4 < columns;
      cp_async8(to, from, inside);
      cp_async8(to + 8, second ? from + 4 : x, second);
    } else {
      copy_chunk_slowly(to, from, inside ? columns - k : 0);
    }
  }
}

template <Output O> __device__ __forceinline__ void store_output(void* out, size_t at, float y) {
  if (O == Output::BF16) static_cast<bf16*>(out)[at] = narrow<bf16>(y);
  if (O == Output::F32) static_cast<float*>(out)[at] = y;
  if (O == Output::ADD) static_cast<float*>(out)[at] += y;
}

// Four neighbours of one row; `at` a multiple of four and out 16-byte aligned.
template <Output O> __device__ __forceinline__ void store_outputs(void* out, size_t at, const float (&y)[4]) {
  if (O == Output::BF16) {
    store4(static_cast<bf16*>(out) + at, y);
    return;
  }
  float* const to = static_cast<float*>(out) + at;
  if (O == Output::F32) {
    store4(to, y);
  } else {
    float sum[4];
    load4(to, sum);
#pragma unroll
    for (int i = 0; i < 4; i++) sum[i] += y[i];
    store4(to, sum);
  }
}

// One row of two 8-column tiles of accumulators, as mma and wgmma leave them: `left` and `right` are this lane's two
// columns of each. Lanes trade halves so that each stores four neighbours and a row's 32 bytes of bf16 are whole.
//   column: the first of the sixteen; all 32 lanes call, rows outside are not stored
template <Output O>
__device__ __forceinline__ void store_sixteen(void* out, const float* __restrict__ bias, int row, int rows, int column,
                                              int columns, float left0, float left1, float right0, float right1) {
  const int lane = threadIdx.x & 31;
  const bool odd = lane & 1;
  const float other0 = __shfl_xor_sync(0xffffffffu, odd ? left0 : right0, 1);
  const float other1 = __shfl_xor_sync(0xffffffffu, odd ? left1 : right1, 1);
  const int at = column + (odd ? 8 : 0) + (lane & 2) * 2;
  float y[4] = {odd ? other0 : left0, odd ? other1 : left1, odd ? right0 : other0, odd ? right1 : other1};
  if (row >= rows || at >= columns) return;
  if (bias) {
#pragma unroll
    for (int i = 0; i < 4; i++) y[i] += at + i < columns ? bias[at + i] : 0.f;
  }
  const size_t offset = (size_t)row * columns + at;
  if ((columns & 3) == 0) {
    store_outputs<O>(out, offset, y);
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++)
      if (at + i < columns) store_output<O>(out, offset + i, y[i]);
  }
}
