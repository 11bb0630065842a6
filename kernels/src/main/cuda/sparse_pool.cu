// SPDX-License-Identifier: Apache-2.0
// sparse_pool.cu: means of a span's queries by row block and of its context's keys by key block: what
// the pooled map of attention is made of. Lai et al., FlexPrefill, ICLR 2025 (arXiv 2502.20766),
// section 3. Differs: a context before the span.
//
// Common contract (CudaSparsePrefill checks it; the kernels do not)
//   block   (128, 1, 1)
//   span    of the batch; blocks the step's list of work blocks, from span->blocks on the span's
//   qkv     [T, (H + 2 K) * D], Q rotated; keys [work rows][W] of the layer, rotated
//   order   caller's cudaStream, before sparse_select.cu; no allocation, no host synchronisation;
//           every sum has one order, given by the span's lengths alone
// Numerics: f32. Limit: the keys are read once (memory).
#include "common/softmax.cuh"
#include "common/sparse.cuh"

constexpr int THREADS = 128;

__device__ __forceinline__ float widened(float v) { return v; }
__device__ __forceinline__ float widened(bf16 v) { return __bfloat162float(v); }

// Mean of vectors at(0 .. count), component threadIdx.x % D of it; a part of the block for each of
// 128 / D sets of rows, added in order.
template <class At>
__device__ __forceinline__ void mean(int count, int head_dim, float* to, At at) {
  __shared__ float sums[THREADS];
  const int d = threadIdx.x % head_dim, parts = THREADS / head_dim, part = threadIdx.x / head_dim;
  float sum = 0.f;
#pragma unroll 4
  for (int row = part; row < count; row += parts) sum += widened(at(row)[d]);
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (part > 0) return;
  for (int p = 1; p < parts; p++) sum += sums[p * head_dim + d];
  to[d] = sum / (float)count;
}

// Kp [K][nb][D] f32: means of the rotated keys of each key block.
//   grid (nb, K, 1)
template <class T>
__device__ __forceinline__ void pool_keys(
    const T* __restrict__ keys, const StepSpan* __restrict__ span, const int* __restrict__ blocks,
    int head_dim, float* __restrict__ pooled, const SparseGrid& grid) {
  const int first = blockIdx.x * grid.block, kv = blockIdx.y;
  const int* list = blocks + span->blocks;
  const size_t width = (size_t)grid.kv_heads * head_dim;
  mean(min(grid.block, grid.keys - first), head_dim,
       pooled + ((size_t)kv * grid.blocks() + blockIdx.x) * head_dim,
       [&](int row) { return keys + work_row(list, first + row) * width + kv * head_dim; });
}

EW_KERNEL void __launch_bounds__(THREADS) sparse_pool_keys_bf16(
    const bf16* keys, const StepSpan* span, const int* blocks, int head_dim, float* pooled,
    SparseGrid grid) {
  pool_keys(keys, span, blocks, head_dim, pooled, grid);
}
EW_EXPORT(sparse_pool_keys_bf16)

EW_KERNEL void __launch_bounds__(THREADS) sparse_pool_keys_f32(
    const float* keys, const StepSpan* span, const int* blocks, int head_dim, float* pooled,
    SparseGrid grid) {
  pool_keys(keys, span, blocks, head_dim, pooled, grid);
}
EW_EXPORT(sparse_pool_keys_f32)

// Qp [H][R + 1][D] f32: means of the queries of each row block, and last that of the probe.
//   grid (R + 1, H, 1)
template <class T>
__device__ __forceinline__ void pool_queries(
    const T* __restrict__ qkv, const StepSpan* __restrict__ span, int head_dim,
    float* __restrict__ pooled, const SparseGrid& grid) {
  const int row = blockIdx.x, head = blockIdx.y;
  const bool probe = row == grid.rows();
  const int first = probe ? grid.queries - grid.probes() : grid.first_query(row);
  const int end = probe ? grid.queries : grid.first_query(row + 1);
  const size_t width = qkv_width(grid, head_dim);
  mean(end - first, head_dim, pooled + ((size_t)head * (grid.rows() + 1) + row) * head_dim,
       [&](int i) { return qkv + (span->first + first + i) * width + head * head_dim; });
}

EW_KERNEL void __launch_bounds__(THREADS) sparse_pool_queries_bf16(
    const bf16* qkv, const StepSpan* span, int head_dim, float* pooled, SparseGrid grid) {
  pool_queries(qkv, span, head_dim, pooled, grid);
}
EW_EXPORT(sparse_pool_queries_bf16)

EW_KERNEL void __launch_bounds__(THREADS) sparse_pool_queries_f32(
    const float* qkv, const StepSpan* span, int head_dim, float* pooled, SparseGrid grid) {
  pool_queries(qkv, span, head_dim, pooled, grid);
}
EW_EXPORT(sparse_pool_queries_f32)
