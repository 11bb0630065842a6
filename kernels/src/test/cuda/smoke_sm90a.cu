// SPDX-License-Identifier: Apache-2.0
// The Hopper form of gemm_bf16: wgmma from swizzled tiles; weights arrive as whole tile images by bulk copy.
#include "ew_prims.cuh"

constexpr int BM = 64, BN = 128, BK = 64, STAGES = 3;
constexpr int A_BYTES = BM * BK * 2, W_BYTES = BN * BK * 2, STAGE_BYTES = A_BYTES + W_BYTES;

// C[M,N] = A[M,K] * W[N,K]^T, bf16 in, f32 accumulation, bf16 out. K a multiple of 8, N even.
// Wt holds W as images [ceil(N/128)][ceil(K/64)][128 rows][8 chunks of 16 bytes], zero-padded, where chunk j of
// row r stands at j ^ (r & 7): the 128-byte swizzle that wgmma reads, so that a tile is one 16 KiB copy.
//   grid (ceil(N/128), ceil(M/64)), block 128 (one warp group), shared 3 * 24576 bytes dynamic
EW_KERNEL void __launch_bounds__(128) gemm_wgmma_bf16(const bf16* __restrict__ A, const bf16* __restrict__ Wt, bf16* __restrict__ C, int M, int N, int K) {
  EW_DYN_SMEM(smem);
  __shared__ uint64_t full[STAGES];
  const int tid = threadIdx.x, lane = tid & 31, warp = tid >> 5;
  const int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN, steps = (K + BK - 1) / BK;

  if (tid == 0) {
    for (int i = 0; i < STAGES; i++) mbar_init(full + i, 1);
    mbar_init_fence();
  }
  __syncthreads();

  auto load = [&](int step) {
    unsigned char* s = smem + step % STAGES * STAGE_BYTES;
#pragma unroll
    for (int i = 0; i < BM * 8 / 128; i++) {
      int c = tid + i * 128, row = c >> 3, chunk = c & 7, k = step * BK + chunk * 8;
      bool ok = m0 + row < M && k < K;
      cp_async16(s + row * 128 + ((chunk ^ (row & 7)) << 4), ok ? A + (size_t)(m0 + row) * K + k : A, ok);
    }
    if (tid == 0) {
      mbar_arrive_expect(full + step % STAGES, W_BYTES);
      bulk_copy(s + A_BYTES, Wt + ((size_t)blockIdx.x * steps + step) * (BN * BK), W_BYTES, full + step % STAGES);
    }
  };

  float acc[64] = {};
  for (int s = 0; s < STAGES - 1; s++) {
    if (s < steps) load(s);
    cp_async_commit();
  }
  for (int step = 0; step < steps; step++) {
    cp_async_wait<STAGES - 2>();
    fence_proxy_async();                   // this thread's part of the A tile, for wgmma
    mbar_wait(full + step % STAGES, step / STAGES & 1);
    __syncthreads();                       // all parts of the A tile; and all have finished step - 1
    if (step + STAGES - 1 < steps) load(step + STAGES - 1);
    cp_async_commit();
    const unsigned char* s = smem + step % STAGES * STAGE_BYTES;
    const uint64_t da = wgmma_desc(s), dw = wgmma_desc(s + A_BYTES);
    wgmma_fence();
#pragma unroll
    for (int kk = 0; kk < BK / 16; kk++) wgmma_m64n128k16(acc, da + 2 * kk, dw + 2 * kk);
    wgmma_commit();
    wgmma_wait<0>();
  }
#pragma unroll
  for (int j = 0; j < BN / 8; j++)
#pragma unroll
    for (int h = 0; h < 2; h++) {
      int r = m0 + warp * 16 + (lane >> 2) + h * 8, c = n0 + j * 8 + (lane & 3) * 2;
      if (r < M && c < N) *reinterpret_cast<__nv_bfloat162*>(C + (size_t)r * N + c) = __floats2bfloat162_rn(acc[j * 4 + h * 2], acc[j * 4 + h * 2 + 1]);
    }
}
EW_EXPORT(gemm_wgmma_bf16)
