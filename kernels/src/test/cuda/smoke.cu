// SPDX-License-Identifier: Apache-2.0
// Three kernels that exercise the tool chain: compiled by nvcc into a fatbin and by g++ into a CPU module.
#include "ew_prims.cuh"

EW_KERNEL void vector_add(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}
EW_EXPORT(vector_add)

// y[row] = x[row] * rsqrt(mean(x[row]^2) + eps) * w; one block per row, dim a multiple of 8.
EW_KERNEL void rmsnorm(const bf16* __restrict__ x, const bf16* __restrict__ w, bf16* __restrict__ y, int dim, float eps) {
  __shared__ float part[32];
  const bf16* xr = x + (size_t)blockIdx.x * dim;
  bf16* yr = y + (size_t)blockIdx.x * dim;
  float s = 0.f;
  for (int i = threadIdx.x * 8; i < dim; i += blockDim.x * 8) {
    uint4 v = *reinterpret_cast<const uint4*>(xr + i);
    const bf16* e = reinterpret_cast<const bf16*>(&v);
#pragma unroll
    for (int j = 0; j < 8; j++) { float f = __bfloat162float(e[j]); s += f * f; }
  }
  s = warp_sum(s);
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = s;
  __syncthreads();
  if (threadIdx.x < 32) {
    s = threadIdx.x < (blockDim.x + 31) / 32 ? part[threadIdx.x] : 0.f;
    s = warp_sum(s);
    if (threadIdx.x == 0) part[0] = rsqrtf(s / dim + eps);
  }
  __syncthreads();
  const float scale = part[0];
  for (int i = threadIdx.x; i < dim; i += blockDim.x)
    yr[i] = __float2bfloat16(__bfloat162float(xr[i]) * scale * __bfloat162float(w[i]));
}
EW_EXPORT(rmsnorm)

// C[M,N] = A[M,K] * W[N,K]^T, bf16 in, f32 accumulation, bf16 out. K a multiple of 8, N even.
// 64x64 tile per block of 4 warps (each 32x32), K in steps of 32, three-stage cp.async ring.
// The K loop of an output element does not depend on M, so results do not depend on the batch.
constexpr int BM = 64, BN = 64, BK = 32, STAGES = 3, GEMM_THREADS = 128;
constexpr int STAGE_BYTES = (BM + BN) * BK * 2;

// Rows of 64 bytes as four 16-byte chunks; the XOR puts eight consecutive rows of one chunk into eight banks groups.
__device__ __forceinline__ int swz(int row, int chunk) { return row * 64 + ((chunk ^ (row >> 1 & 3)) << 4); }

EW_KERNEL void __launch_bounds__(GEMM_THREADS) gemm_bf16(const bf16* __restrict__ A, const bf16* __restrict__ W, bf16* __restrict__ C, int M, int N, int K) {
  EW_DYN_SMEM(smem);
  const int tid = threadIdx.x, lane = tid & 31, warp = tid >> 5;
  const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN;
  const int wm = (warp >> 1) * 32, wn = (warp & 1) * 32;
  const int steps = (K + BK - 1) / BK;

  auto load = [&](int step) {
    unsigned char* s = smem + step % STAGES * STAGE_BYTES;
#pragma unroll
    for (int i = 0; i < (BM + BN) * 4 / GEMM_THREADS; i++) {
      int c = tid + i * GEMM_THREADS, row = c >> 2, chunk = c & 3, k = step * BK + chunk * 8;
      bool is_a = row < BM;
      int r = is_a ? m0 + row : n0 + row - BM, limit = is_a ? M : N;
      const bf16* base = is_a ? A : W;
      bool ok = r < limit && k < K;
      cp_async16(s + (is_a ? 0 : BM * 64) + swz(is_a ? row : row - BM, chunk), ok ? base + (size_t)r * K + k : base, ok);
    }
  };

  float acc[2][4][4] = {};
  for (int s = 0; s < STAGES - 1; s++) {
    if (s < steps) load(s);
    cp_async_commit();
  }
  for (int step = 0; step < steps; step++) {
    cp_async_wait<STAGES - 2>();
    __syncthreads();                       // stage `step` is there for all; stage `step - 1` is free for all
    if (step + STAGES - 1 < steps) load(step + STAGES - 1);
    cp_async_commit();
    const unsigned char* sa = smem + step % STAGES * STAGE_BYTES;
    const unsigned char* sb = sa + BM * 64;
#pragma unroll
    for (int kk = 0; kk < BK / 16; kk++) {
      uint32_t a[2][4], b[4][2];
#pragma unroll
      for (int i = 0; i < 2; i++) ldmatrix_x4(a[i], sa + swz(wm + i * 16 + (lane & 15), kk * 2 + (lane >> 4)));
#pragma unroll
      for (int j = 0; j < 2; j++) {        // 16 columns of W at a time: two B fragments
        uint32_t r[4];
        ldmatrix_x4(r, sb + swz(wn + j * 16 + (lane & 7) + (lane >> 4) * 8, kk * 2 + (lane >> 3 & 1)));
        b[2 * j][0] = r[0]; b[2 * j][1] = r[1]; b[2 * j + 1][0] = r[2]; b[2 * j + 1][1] = r[3];
      }
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) mma_bf16(acc[i][j], a[i], b[j]);
    }
  }
#pragma unroll
  for (int i = 0; i < 2; i++)
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        int r = m0 + wm + i * 16 + (lane >> 2) + h * 8, c = n0 + wn + j * 8 + (lane & 3) * 2;
        if (r < M && c < N) *reinterpret_cast<__nv_bfloat162*>(C + (size_t)r * N + c) = __floats2bfloat162_rn(acc[i][j][h * 2], acc[i][j][h * 2 + 1]);
      }
}
EW_EXPORT(gemm_bf16)
