// SPDX-License-Identifier: Apache-2.0
// Activations: bf16, or f32 in the plain path. Kernels compute in f32 and round once, at the store.
// Four elements at a time: all row widths of the model are multiples of four (a vision tower's
// feed-forward of 3420 is not one of eight), so this is the widest access that every row allows.
#pragma once
#include "ew_prims.cuh"

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(bf16 x) { return __bfloat162float(x); }

template <class A> __device__ __forceinline__ A narrow(float x);
template <> __device__ __forceinline__ float narrow<float>(float x) { return x; }
template <> __device__ __forceinline__ bf16 narrow<bf16>(float x) { return __float2bfloat16_rn(x); }

// Two floats as bf16 in one register, the first in the low half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<uint32_t*>(&pair);
}

// x[0..3]; 16-byte aligned.
__device__ __forceinline__ void load4(const float* x, float (&v)[4]) {
  const float4 raw = *reinterpret_cast<const float4*>(x);
  v[0] = raw.x;
  v[1] = raw.y;
  v[2] = raw.z;
  v[3] = raw.w;
}

// x[0..3]; 8-byte aligned.
__device__ __forceinline__ void load4(const bf16* x, float (&v)[4]) {
  const uint2 raw = *reinterpret_cast<const uint2*>(x);
  v[0] = __uint_as_float(raw.x << 16);
  v[1] = __uint_as_float(raw.x & 0xffff0000u);
  v[2] = __uint_as_float(raw.y << 16);
  v[3] = __uint_as_float(raw.y & 0xffff0000u);
}

__device__ __forceinline__ void store4(float* x, const float (&v)[4]) {
  *reinterpret_cast<float4*>(x) = make_float4(v[0], v[1], v[2], v[3]);
}

__device__ __forceinline__ void store4(bf16* x, const float (&v)[4]) {
  *reinterpret_cast<uint2*>(x) = make_uint2(pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3]));
}
