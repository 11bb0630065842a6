// SPDX-License-Identifier: Apache-2.0
// Kernels with one planted fault each, to show that the emulation finds such faults.
#include "ew_prims.cuh"

EW_KERNEL void missing_barrier(float* out) {         // reads another warp's value with no __syncthreads
  __shared__ float s[128];
  s[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = s[(threadIdx.x + 64) & 127];
}
EW_EXPORT(missing_barrier)

EW_KERNEL void missing_syncwarp(float* out) {        // reads another lane's value with no __syncwarp
  __shared__ float s[32];
  s[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = s[threadIdx.x ^ 1];
}
EW_EXPORT(missing_syncwarp)

EW_KERNEL void missing_wait(const float* in, float* out) {  // barrier, but no cp.async.wait_group before it
  __shared__ __align__(16) float s[128];
  cp_async16(s + threadIdx.x * 4, in + threadIdx.x * 4, true);
  cp_async_commit();
  __syncthreads();
  for (int i = threadIdx.x; i < 128; i += 32) out[i] = s[i];
  cp_async_wait<0>();
}
EW_EXPORT(missing_wait)

EW_KERNEL void reuse_too_early(const float* in, float* out) {  // second copy lands while others still read the first
  __shared__ __align__(16) float s[256];
  const int t = threadIdx.x;                         // 64 threads
  float sum = 0;
  for (int i = 0; i < 4; i++) {
    cp_async16(s + t * 4, in + i * 256 + t * 4, true);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    for (int j = 0; j < 4; j++) sum += s[(t * 4 + j + 128) & 255];
    // a __syncthreads() belongs here
  }
  out[t] = sum;
}
EW_EXPORT(reuse_too_early)

EW_KERNEL void out_of_bounds(float* out, int n) {    // one element too many
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) out[i] = 1.f;
}
EW_EXPORT(out_of_bounds)

EW_KERNEL void diverged_barrier(float* out) {        // some threads skip the barrier and wait elsewhere
  if (threadIdx.x < 32) __syncthreads();
  else __syncwarp(1u << 5 | 1u << 6 | (1u << (threadIdx.x & 31)));
  out[threadIdx.x] = 0.f;
}
EW_EXPORT(diverged_barrier)

EW_KERNEL void lane_left(float* out) {               // full-mask shuffle after lanes have returned
  if (threadIdx.x >= 16) return;
  out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.f, 1);
}
EW_EXPORT(lane_left)

EW_KERNEL void blocks_collide(float* out) {          // two blocks write the same element
  out[threadIdx.x] = blockIdx.x;
}
EW_EXPORT(blocks_collide)

EW_KERNEL void null_pointer(float* out) {            // writes where nothing is
  if (threadIdx.x == 77) *reinterpret_cast<volatile float*>(reinterpret_cast<uintptr_t>(out) & 63) = 1.f;
}
EW_EXPORT(null_pointer)

__device__ __attribute__((noinline)) float descend(volatile float* frame, int depth) {
  volatile float more[256];
  more[depth & 255] = frame[0];
  return depth == 0 ? more[0] : descend(more, depth - 1) + more[1];
}
EW_KERNEL void too_deep(float* out) {                // needs more stack than a thread has
  out[threadIdx.x] = descend(out, threadIdx.x == 5 ? 100000 : 0);
}
EW_EXPORT(too_deep)
