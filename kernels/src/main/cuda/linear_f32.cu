// SPDX-License-Identifier: Apache-2.0
// linear_f32.cu: the plain product in float32, y = x w^T + bias; the path of tests, not of speed.
// A tile of 64 x 64 outputs per block, sixteen outputs per thread, K in steps of 16 through shared memory. Each output
// is one chain of fused multiply-adds over k in order, whatever T: prefill and decode are the same here.
//
// Launch contract (CudaLinear checks it; the kernel does not)
//   grid    (ceil(N / 64), ceil(T / 64))
//   block   256 threads
//   shared  8704 bytes static
//   x [T, K], w [N, K], bias [N] or null, out [T, N]: float32, row-major; out overlaps nothing
//   order   caller's cudaStream; no allocation, no host synchronisation
// Limit: float32 units. 2 T N K operations.
#include "common/linear.cuh"

constexpr int SIDE = 64, STEP = 16, THREADS = 256;

// tile[k][i] = from[first + i][k0 + k], zero outside. Four more floats a row spread the stores over the banks.
__device__ __forceinline__ void stage(float (&tile)[STEP][SIDE + 4], const float* __restrict__ from, int first,
                                      int rows, int k0, int columns) {
#pragma unroll
  for (int i = 0; i < SIDE * STEP / THREADS; i++) {
    const int at = threadIdx.x + i * THREADS, row = first + at / STEP, k = k0 + at % STEP;
    tile[at % STEP][at / STEP] = row < rows && k < columns ? from[(size_t)row * columns + k] : 0.f;
  }
}

template <bool ADD>
__device__ __forceinline__ void linear_f32_body(const float* __restrict__ x, const float* __restrict__ weights,
                                                const float* __restrict__ bias, float* __restrict__ out, int tokens,
                                                int rows, int columns) {
  __shared__ __align__(16) float xs[STEP][SIDE + 4];
  __shared__ __align__(16) float ws[STEP][SIDE + 4];
  const int token0 = blockIdx.y * SIDE, row0 = blockIdx.x * SIDE;
  const int token = threadIdx.x / 16 * 4, row = threadIdx.x % 16 * 4;
  const bool idle = token0 + token >= tokens || row0 + row >= rows;
  float acc[4][4] = {};
  for (int k0 = 0; k0 < columns; k0 += STEP) {
    stage(xs, x, token0, tokens, k0, columns);
    stage(ws, weights, row0, rows, k0, columns);
    __syncthreads();
    if (!idle) {
#pragma unroll
      for (int k = 0; k < STEP; k++) {
        const float4 a = *reinterpret_cast<const float4*>(&xs[k][token]);
        const float4 b = *reinterpret_cast<const float4*>(&ws[k][row]);
        const float t[4] = {a.x, a.y, a.z, a.w}, r[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
        for (int i = 0; i < 4; i++)
#pragma unroll
          for (int j = 0; j < 4; j++) acc[i][j] = fmaf(t[i], r[j], acc[i][j]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int t = token0 + token + i, n = row0 + row + j;
      if (t >= tokens || n >= rows) continue;
      store_output<ADD ? Output::ADD : Output::F32>(out, (size_t)t * rows + n, acc[i][j] + (bias ? bias[n] : 0.f));
    }
}

EW_KERNEL void __launch_bounds__(THREADS)
    linear_f32(const float* __restrict__ x, const float* __restrict__ weights, const float* __restrict__ bias,
               float* __restrict__ out, int tokens, int rows, int columns) {
  linear_f32_body<false>(x, weights, bias, out, tokens, rows, columns);
}
EW_EXPORT(linear_f32)

EW_KERNEL void __launch_bounds__(THREADS)
    linear_f32_add(const float* __restrict__ x, const float* __restrict__ weights, const float* __restrict__ bias,
                   float* __restrict__ out, int tokens, int rows, int columns) {
  linear_f32_body<true>(x, weights, bias, out, tokens, rows, columns);
}
EW_EXPORT(linear_f32_add)
