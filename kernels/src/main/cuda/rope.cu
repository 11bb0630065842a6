// SPDX-License-Identifier: Apache-2.0
// rope.cu: rotary positions of Q and K, and where new rows go.
//   y[i] = x[i] cos(a) - x[i + D/2] sin(a),  y[i + D/2] = x[i + D/2] cos(a) + x[i] sin(a),
//   a = position[axis(i)] * frequency[i], one f32 product; i in [0, D/2).
// Su et al. 2021 (RoFormer), eq. 34, in the half-split form of the published model; axis(i): Qwen2-VL
// (Wang et al. 2024), multimodal rotary embedding: the first section of pairs turns with the time, the
// next two with height and width.
//
// Common contract (CudaAttention checks it; the kernels do not)
//   D a multiple of 16 (bf16) or 8 (f32): a thread takes 16 bytes of each half of a head
//   qkv, planes and working copy 16-byte aligned; H, K heads, W = K * D
//   order   caller's cudaStream; no allocation, no host synchronisation
// Numerics: angle, sine, cosine and rotation in f32, one rounding to the stored type. A row gets the
// same bits whether it is rotated when it is computed or when it is loaded.
#include "common/step.cuh"

// Elements of one 16-byte access.
template <class T> constexpr int LANES = 16 / (int)sizeof(T);

__device__ __forceinline__ void unpack(const uint4& v, float (&f)[4]) {
  f[0] = __uint_as_float(v.x);
  f[1] = __uint_as_float(v.y);
  f[2] = __uint_as_float(v.z);
  f[3] = __uint_as_float(v.w);
}
__device__ __forceinline__ void unpack(const uint4& v, float (&f)[8]) {
  const uint32_t u[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    f[2 * i] = __uint_as_float(u[i] << 16);
    f[2 * i + 1] = __uint_as_float(u[i] & 0xffff0000u);
  }
}
__device__ __forceinline__ uint4 pack(const float (&f)[4]) {
  return {__float_as_uint(f[0]), __float_as_uint(f[1]), __float_as_uint(f[2]), __float_as_uint(f[3])};
}
__device__ __forceinline__ uint4 pack(const float (&f)[8]) {
  uint32_t u[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(f[2 * i], f[2 * i + 1]);
    u[i] = *reinterpret_cast<const uint32_t*>(&pair);
  }
  return {u[0], u[1], u[2], u[3]};
}

// Cosine (x) and sine (y) of pair `i` for a row at the three positions.
__device__ __forceinline__ float2 turn_of(
    const float* __restrict__ positions, size_t stride, const float* __restrict__ frequencies,
    int i, int time_pairs, int height_pairs) {
  const int axis = i < time_pairs ? 0 : i < time_pairs + height_pairs ? 1 : 2;
  const float angle = positions[axis * stride] * frequencies[i];
  return make_float2(cosf(angle), sinf(angle));
}

// Rotates L pairs: `low` and `high` are the vectors of components i and i + D/2. Which product
// is fused is written out: left to the compiler, two kernels might differ.
template <int L>
__device__ __forceinline__ void rotate(uint4& low, uint4& high, const float2 (&turn)[L]) {
  float a[L], b[L];
  unpack(low, a);
  unpack(high, b);
#pragma unroll
  for (int i = 0; i < L; i++) {
    const float x = a[i], y = b[i];
    a[i] = __fmaf_rn(x, turn[i].x, -(y * turn[i].y));
    b[i] = __fmaf_rn(y, turn[i].x, x * turn[i].y);
  }
  low = pack(a);
  high = pack(b);
}

// factors[t, i] = (cos, sin) of the batch's rows, and each new row's slot into the table of slots.
//   grid    (bucket rows, 1, 1)    one block per row
//   block   (D/2 rounded up to 32, 1, 1)
//   positions [3][stride] f32; factors [rows][D/2] float2; slot_of [work rows]
EW_KERNEL void rope_table(
    const StepHeader* __restrict__ step, const float* __restrict__ positions, int stride,
    const int* __restrict__ slots, const int* __restrict__ work_rows,
    const float* __restrict__ frequencies, int pairs, int time_pairs, int height_pairs,
    float2* __restrict__ factors, int* __restrict__ slot_of) {
  const int row = blockIdx.x;
  if (row >= step->rows) return;
  const int i = threadIdx.x;
  if (i == 0) slot_of[work_rows[row]] = slots[row];
  if (i >= pairs) return;
  factors[(size_t)row * pairs + i] =
      turn_of(positions + row, stride, frequencies, i, time_pairs, height_pairs);
}
EW_EXPORT(rope_table)

// Takes the new rows' Q, K and V of one layer: Q is rotated in place, K goes to the row's slot as it
// is and rotated to the working copy, V to the slot.
//   grid    (bucket rows, 1, 1)    one block per row
//   block   (256, 1, 1)            any size
//   qkv     [T, (H + 2 K) * D]; Q overwritten
//   keys, values  [slots][W] of the layer; work [work rows][W] of the layer
// Limit: memory and latency; reads and writes (H + 2 K) * D elements of a row once, K twice.
template <class T>
__device__ __forceinline__ void append(
    T* qkv, const StepHeader* __restrict__ step, const int* __restrict__ slots,
    const int* __restrict__ work_rows, const float2* __restrict__ factors, T* __restrict__ keys,
    T* __restrict__ values, T* __restrict__ work, int heads, int kv_heads, int head_dim) {
  constexpr int L = LANES<T>;
  const int row = blockIdx.x;
  if (row >= step->rows) return;
  const int half = head_dim / 2, width = kv_heads * head_dim;
  const int per_head = half / L;                        // vectors of half a head
  const int turned = (heads + kv_heads) * per_head;     // units that rotate a pair of vectors
  const int copied = width / L;                         // units that copy a vector of V
  T* token = qkv + (size_t)row * (heads + 2 * kv_heads) * head_dim;
  const size_t slot = (size_t)slots[row] * width, place = (size_t)work_rows[row] * width;
  for (int u = threadIdx.x; u < turned + copied; u += blockDim.x) {
    if (u >= turned) {
      const int at = (u - turned) * L;
      *reinterpret_cast<uint4*>(values + slot + at) =
          *reinterpret_cast<const uint4*>(token + heads * head_dim + width + at);
      continue;
    }
    const int head = u / per_head, i = u % per_head * L;
    T* x = token + head * head_dim + i;
    uint4 low = *reinterpret_cast<const uint4*>(x);
    uint4 high = *reinterpret_cast<const uint4*>(x + half);
    float2 turn[L];
    const float4* from = reinterpret_cast<const float4*>(factors + (size_t)row * half + i);
#pragma unroll
    for (int j = 0; j < L / 2; j++) {
      const float4 two = from[j];
      turn[2 * j] = make_float2(two.x, two.y);
      turn[2 * j + 1] = make_float2(two.z, two.w);
    }
    T* to = x;
    if (head >= heads) {
      const int at = (head - heads) * head_dim + i;
      *reinterpret_cast<uint4*>(keys + slot + at) = low;
      *reinterpret_cast<uint4*>(keys + slot + at + half) = high;
      to = work + place + at;
    }
    rotate<L>(low, high, turn);
    *reinterpret_cast<uint4*>(to) = low;
    *reinterpret_cast<uint4*>(to + half) = high;
  }
}

EW_KERNEL void rope_append_bf16(
    bf16* qkv, const StepHeader* step, const int* slots, const int* work_rows,
    const float2* factors, bf16* keys, bf16* values, bf16* work, int heads, int kv_heads,
    int head_dim) {
  append(qkv, step, slots, work_rows, factors, keys, values, work, heads, kv_heads, head_dim);
}
EW_EXPORT(rope_append_bf16)

EW_KERNEL void rope_append_f32(
    float* qkv, const StepHeader* step, const int* slots, const int* work_rows,
    const float2* factors, float* keys, float* values, float* work, int heads, int kv_heads,
    int head_dim) {
  append(qkv, step, slots, work_rows, factors, keys, values, work, heads, kv_heads, head_dim);
}
EW_EXPORT(rope_append_f32)

// The working copy of loaded rows, all layers: rotated K, and each row's slot into the table of slots.
//   grid    (ceil(loads * W / (2 L) / block), 1, 1)   a thread per row and pair of 16-byte vectors
//   block   (128, 1, 1)                               any size
//   positions [3][stride]; keys [layers][slot_count][W]; work [layers][work_count][W]
// Limit: memory, 2 * layers * W elements a row. A thread computes its angles once for all layers; four
// layers' loads (128 bytes) are under way at a time.
template <class T>
__device__ __forceinline__ void rotate_loaded(
    const StepHeader* __restrict__ step, const float* __restrict__ positions, int stride,
    const int* __restrict__ slots, const int* __restrict__ work_rows,
    const float* __restrict__ frequencies, int time_pairs, int height_pairs,
    const T* __restrict__ keys, long long slot_count, T* __restrict__ work, long long work_count,
    int layers, int kv_heads, int head_dim, int* __restrict__ slot_of) {
  constexpr int L = LANES<T>;
  const int half = head_dim / 2, width = kv_heads * head_dim;
  const int per_head = half / L, per_row = kv_heads * per_head;
  const long long unit = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const int row = (int)(unit / per_row), u = (int)(unit % per_row);
  if (row >= step->loads) return;
  const int slot = slots[row], place = work_rows[row];
  if (u == 0) slot_of[place] = slot;
  const int i = u % per_head * L, at = u / per_head * head_dim + i;
  float2 turn[L];
#pragma unroll
  for (int j = 0; j < L; j++) {
    turn[j] = turn_of(positions + row, stride, frequencies, i + j, time_pairs, height_pairs);
  }
  const T* from = keys + (size_t)slot * width + at;
  T* to = work + (size_t)place * width + at;
#pragma unroll 4
  for (int layer = 0; layer < layers; layer++) {
    uint4 low = *reinterpret_cast<const uint4*>(from);
    uint4 high = *reinterpret_cast<const uint4*>(from + half);
    rotate<L>(low, high, turn);
    *reinterpret_cast<uint4*>(to) = low;
    *reinterpret_cast<uint4*>(to + half) = high;
    from += slot_count * width;
    to += work_count * width;
  }
}

EW_KERNEL void rope_rotate_bf16(
    const StepHeader* step, const float* positions, int stride, const int* slots,
    const int* work_rows, const float* frequencies, int time_pairs, int height_pairs,
    const bf16* keys, long long slot_count, bf16* work, long long work_count, int layers,
    int kv_heads, int head_dim, int* slot_of) {
  rotate_loaded(step, positions, stride, slots, work_rows, frequencies, time_pairs, height_pairs,
                keys, slot_count, work, work_count, layers, kv_heads, head_dim, slot_of);
}
EW_EXPORT(rope_rotate_bf16)

EW_KERNEL void rope_rotate_f32(
    const StepHeader* step, const float* positions, int stride, const int* slots,
    const int* work_rows, const float* frequencies, int time_pairs, int height_pairs,
    const float* keys, long long slot_count, float* work, long long work_count, int layers,
    int kv_heads, int head_dim, int* slot_of) {
  rotate_loaded(step, positions, stride, slots, work_rows, frequencies, time_pairs, height_pairs,
                keys, slot_count, work, work_count, layers, kv_heads, head_dim, slot_of);
}
EW_EXPORT(rope_rotate_f32)
