// SPDX-License-Identifier: Apache-2.0
// The largest of many values up to a limit of their weights, by a block of threads and without sorting:
// a threshold is found by histograms over 11, 11 and 10 bits of the numbers, which order as integers do
// since none is negative. Weights are integers, so that atomics give the same sums in any order.
#pragma once
#include "common/sparse.cuh"

constexpr int BLOCK = 512, WARPS = BLOCK / 32;
constexpr int BINS = 2048, EACH = BINS / BLOCK;

// Weight of a share: multiples of 2^-40.
__device__ __forceinline__ u64 fixed_point(float v) {
  return v >= 0.f && v < 2.f ? (u64)((double)v * 0x1p40 + 0.5) : 0;  // not a number counts nothing
}

struct Bins {
  u64 mass[BINS];
  unsigned count[BINS];
  u64 warp_mass[WARPS];
  unsigned warp_count[WARPS];
  int bin;  // where the total crosses the limit, -1: nowhere
  u64 mass_before;
  unsigned count_before, count_in;
};
static_assert(sizeof(Bins) == 24792, "as SparseKernels of Java has it");

// Exclusive sums over the block's threads in their order.
__device__ __forceinline__ void prefix(Bins& bins, u64& mass, unsigned& count) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const u64 own_mass = mass;
  const unsigned own_count = count;
#pragma unroll
  for (int o = 1; o < 32; o <<= 1) {
    const u64 m = __shfl_up_sync(FULL_WARP, mass, o);
    const unsigned c = __shfl_up_sync(FULL_WARP, count, o);
    if (lane >= o) {
      mass += m;
      count += c;
    }
  }
  if (lane == 31) {
    bins.warp_mass[warp] = mass;
    bins.warp_count[warp] = count;
  }
  __syncthreads();
  mass -= own_mass;
  count -= own_count;
  for (int w = 0; w < warp; w++) {
    mass += bins.warp_mass[w];
    count += bins.warp_count[w];
  }
}

// The longest run of the largest of n values whose weights together are at most `limit`; negative
// values are none. All threads of the block call it and get it.
template <class Value, class Weight>
__device__ Threshold longest_within(Bins& bins, int n, u64 limit, Value value, Weight weight) {
  uint32_t found = 0, known = 0;  // bits of the threshold, and which of them are known
  u64 mass = 0;
  unsigned above = 0, ties = 0;
  for (int shift = 21; shift >= 0; shift = shift == 21 ? 10 : shift - 10) {
    for (int i = threadIdx.x; i < BINS; i += BLOCK) {
      bins.mass[i] = 0;
      bins.count[i] = 0;
    }
    if (threadIdx.x == 0) bins.bin = -1;
    __syncthreads();
    const uint32_t width = shift == 0 ? 1023 : BINS - 1;
    for (int i = threadIdx.x; i < n; i += BLOCK) {
      const float v = value(i);
      const uint32_t bits = __float_as_uint(v);
      if ((bits >> 31) == 0 && (bits & known) == found) {
        const u64 w = weight(v);
        if (w) atomicAdd(&bins.mass[bits >> shift & width], w);
        atomicAdd(&bins.count[bits >> shift & width], 1u);
      }
    }
    __syncthreads();
    u64 sum = 0;
    unsigned count = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++) {
      sum += bins.mass[BINS - 1 - threadIdx.x * EACH - i];
      count += bins.count[BINS - 1 - threadIdx.x * EACH - i];
    }
    u64 before = sum;
    unsigned count_before = count;
    prefix(bins, before, count_before);
    before += mass;
    if (before <= limit && before + sum > limit) {  // one thread at most
      for (int i = 0; i < EACH; i++) {
        const int bin = BINS - 1 - threadIdx.x * EACH - i;
        if (before + bins.mass[bin] > limit) {
          bins.bin = bin;
          bins.mass_before = before;
          bins.count_before = above + count_before;
          bins.count_in = bins.count[bin];
          break;
        }
        before += bins.mass[bin];
        count_before += bins.count[bin];
      }
    }
    __syncthreads();
    const int bin = bins.bin;
    mass = bins.mass_before;
    above = bins.count_before;
    ties = bins.count_in;
    __syncthreads();
    if (bin < 0) return {0, 0xffffffffu, 0, (unsigned)n};  // all of them; only at the first shift
    found |= (uint32_t)bin << shift;
    known |= width << shift;
  }
  const unsigned taken = (unsigned)((limit - mass) / weight(__uint_as_float(found)));
  return {found, taken, ties, above};
}

// Bits of the values that a threshold takes, one warp: words [ceil(n / 32)].
template <class Value>
__device__ __forceinline__ void take(
    const Threshold& threshold, int n, Value value, uint32_t* __restrict__ words) {
  const int lane = threadIdx.x & 31;
  unsigned equals = 0;
  for (int base = 0; base < n; base += 32) {
    const uint32_t bits = base + lane < n ? __float_as_uint(value(base + lane)) : 0;
    const bool equal = base + lane < n && bits == threshold.bits;
    const unsigned ballot = __ballot_sync(FULL_WARP, equal);
    const unsigned rank = equals + __popc(ballot & ((1u << lane) - 1));
    const bool in = base + lane < n &&
                    (bits > threshold.bits || (equal && rank < threshold.taken));
    const unsigned word = __ballot_sync(FULL_WARP, in);
    if (lane == 0) words[base >> 5] = word;
    equals += __popc(ballot);
  }
}
