// SPDX-License-Identifier: Apache-2.0
// Operations that look at one row or one element: embedding, moved rows, RMSNorm, SwiGLU, GELU.
//
// Launch contract (CudaElementwise checks it; the kernels do not)
//   widths  multiples of 4, rows contiguous, addresses 16-byte aligned
//   shared  none dynamic
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: f32 inside, one rounding at the store. A row's bits depend on that row and its width.
// Limit: memory, each input read and each output written once.
#include "common/activation.cuh"

// out[t,c] = table[ids[t],c]: table [V,C] of A, out [T,C] f32.
//   grid (T), block any. Rows from *live on become zero (live may be null: all rows are live), so
//   that a padded batch holds finite numbers whatever its ids are.
template <class A>
__device__ __forceinline__ void embed(
    const A* __restrict__ table, const int* __restrict__ ids, const int* __restrict__ live,
    float* __restrict__ out, int width) {
  const int t = blockIdx.x;
  const bool shown = live == nullptr || t < *live;
  const A* row = table + (shown ? (size_t)ids[t] * width : 0);
  float* to = out + (size_t)t * width;
  for (int c = threadIdx.x * 4; c < width; c += blockDim.x * 4) {
    float v[4] = {};
    if (shown) load4(row + c, v);
    store4(to + c, v);
  }
}

EW_KERNEL void embed_bf16(
    const bf16* table, const int* ids, const int* live, float* out, int width) {
  embed(table, ids, live, out, width);
}
EW_EXPORT(embed_bf16)

EW_KERNEL void embed_f32(
    const float* table, const int* ids, const int* live, float* out, int width) {
  embed(table, ids, live, out, width);
}
EW_EXPORT(embed_f32)

// gather: out[i] = x[rows[i]]; scatter: out[rows[i]] = x[i]. Rows of `units` 8-byte words of any
// element type.
//   grid (rows), block any; x and out do not overlap; scattered rows are distinct.
template <bool Scatter>
__device__ __forceinline__ void move_row(
    const uint2* __restrict__ x, const int* __restrict__ rows, uint2* __restrict__ out, int units) {
  const size_t here = (size_t)blockIdx.x * units;
  const size_t there = (size_t)rows[blockIdx.x] * units;
  const uint2* from = x + (Scatter ? here : there);
  uint2* to = out + (Scatter ? there : here);
  for (int c = threadIdx.x; c < units; c += blockDim.x) to[c] = from[c];
}

EW_KERNEL void gather_rows(const uint2* x, const int* rows, uint2* out, int units) {
  move_row<false>(x, rows, out, units);
}
EW_EXPORT(gather_rows)

EW_KERNEL void scatter_rows(const uint2* x, const int* rows, uint2* out, int units) {
  move_row<true>(x, rows, out, units);
}
EW_EXPORT(scatter_rows)

// out[t,c] = gain[c] * x[t,c] / sqrt(mean_c(x[t,c]^2) + eps): x f32, out of A.
// Zhang & Sennrich 2019, eq. 4. Differs: eps under the root, as in the published model.
//   grid (T), block a multiple of 32 up to 1024, chosen from the width alone: the order of the sum
//   is that of the threads. The second read of x should hit the first-level cache.
template <class A>
__device__ __forceinline__ void rms_norm(
    const float* __restrict__ x, const float* __restrict__ gain, A* __restrict__ out, int width,
    float eps) {
  __shared__ float part[32];
  const float* row = x + (size_t)blockIdx.x * width;
  A* to = out + (size_t)blockIdx.x * width;
  float squares = 0.f;
  for (int c = threadIdx.x * 4; c < width; c += blockDim.x * 4) {
    float v[4];
    load4(row + c, v);
    squares += (v[0] * v[0] + v[1] * v[1]) + (v[2] * v[2] + v[3] * v[3]);
  }
  squares = warp_sum(squares);
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = squares;
  __syncthreads();
  // Every warp adds the parts itself, in the same order: no second barrier.
  const int warps = (int)(blockDim.x >> 5), lane = threadIdx.x & 31;
  const float scale = rsqrtf(warp_sum(lane < warps ? part[lane] : 0.f) / width + eps);
  for (int c = threadIdx.x * 4; c < width; c += blockDim.x * 4) {
    float v[4], g[4];
    load4(row + c, v);
    load4(gain + c, g);
#pragma unroll
    for (int i = 0; i < 4; i++) v[i] = g[i] * (v[i] * scale);
    store4(to + c, v);
  }
}

EW_KERNEL void rms_norm_bf16(
    const float* x, const float* gain, bf16* out, int width, float eps) {
  rms_norm(x, gain, out, width, eps);
}
EW_EXPORT(rms_norm_bf16)

EW_KERNEL void rms_norm_f32(const float* x, const float* gain, float* out, int width, float eps) {
  rms_norm(x, gain, out, width, eps);
}
EW_EXPORT(rms_norm_f32)

// out[t,c] = silu(gateUp[t,c]) * gateUp[t,F+c], silu(x) = x / (1 + e^-x): gateUp [T,2F], out [T,F].
// Shazeer 2020, SwiGLU.
//   grid (T, ceil(F / (4 block))), block any
template <class A>
__device__ __forceinline__ void swi_glu(
    const A* __restrict__ gate_up, A* __restrict__ out, int width) {
  const int c = (int)(blockIdx.y * blockDim.x + threadIdx.x) * 4;
  if (c >= width) return;
  const A* row = gate_up + (size_t)blockIdx.x * 2 * width;
  float gate[4], up[4];
  load4(row + c, gate);
  load4(row + width + c, up);
#pragma unroll
  for (int i = 0; i < 4; i++) gate[i] = gate[i] / (1.f + expf(-gate[i])) * up[i];
  store4(out + (size_t)blockIdx.x * width + c, gate);
}

EW_KERNEL void swi_glu_bf16(const bf16* gate_up, bf16* out, int width) {
  swi_glu(gate_up, out, width);
}
EW_EXPORT(swi_glu_bf16)

EW_KERNEL void swi_glu_f32(const float* gate_up, float* out, int width) {
  swi_glu(gate_up, out, width);
}
EW_EXPORT(swi_glu_f32)

// x[i] = x[i] / 2 * (1 + erf(x[i] / sqrt 2)) in place. Hendrycks & Gimpel 2016, the exact form.
//   grid (ceil(quads / block)), block any; quads elements / 4
template <class A> __device__ __forceinline__ void gelu(A* x, unsigned quads) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= quads) return;
  float v[4];
  load4(x + (size_t)i * 4, v);
#pragma unroll
  for (int k = 0; k < 4; k++) v[k] = 0.5f * v[k] * (1.f + erff(v[k] * 0.70710678f));
  store4(x + (size_t)i * 4, v);
}

EW_KERNEL void gelu_bf16(bf16* x, unsigned quads) { gelu(x, quads); }
EW_EXPORT(gelu_bf16)

EW_KERNEL void gelu_f32(float* x, unsigned quads) { gelu(x, quads); }
EW_EXPORT(gelu_f32)
