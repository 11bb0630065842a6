// SPDX-License-Identifier: Apache-2.0
// cuemu.h - lets CUDA C++ kernels compile as host C++ and run on CPU fibers.
// Included by kernels through ew_prims.cuh when the compiler is not nvcc. C++17, GCC or Clang.
//
// Model: every CUDA thread is a fiber; a block runs on one OS thread, blocks run in parallel on
// several OS threads. A fiber gives way only at a barrier or a warp collective, so the order in
// which threads run between two such points is a policy (forward, reverse, random seed).
#pragma once
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <utility>

#define __device__
#define __host__
#define __global__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __grid_constant__
// One block at a time per OS thread, hence a thread_local per static shared array. Trivial types
// only.
#define __shared__ static thread_local
#define __trap() cuemu_fail("__trap()")
#define warpSize 32

struct int3 {
  int x, y, z;
};
struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};
#define CUEMU_VEC(T, name, al)                               \
  struct __align__(2 * al) name##2 { T x, y; };              \
  struct __align__(4 * al) name##4 { T x, y, z, w; };        \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
CUEMU_VEC(float, float, 4)
CUEMU_VEC(int, int, 4)
CUEMU_VEC(unsigned, uint, 4)
CUEMU_VEC(unsigned short, ushort, 2)
#undef CUEMU_VEC

// ---- what the runtime (libcuda.so.1 of this folder) exports -----------------------------------
struct cuemu_thread {  // the running CUDA thread, as kernels see it
  uint3 tid, bid;
  dim3 bdim, gdim;
  unsigned lane, warp;
  unsigned char* smem;  // dynamic shared memory of the block
};
typedef void (*cuemu_op)(void** lane_args, unsigned mask);
#pragma GCC visibility push(default)
extern "C" {
extern __thread cuemu_thread* cuemu_self __attribute__((tls_model("initial-exec")));
void cuemu_register(const char* name, void (*tramp)(void**), int n, const unsigned* size,
                    const unsigned* align);
void cuemu_barrier(unsigned id, unsigned count);  // count 0: the whole block
void cuemu_collective(unsigned mask, cuemu_op op, void* arg, const char* name, int orders_memory);
void cuemu_cp_async(void* dst, const void* src, unsigned bytes, unsigned src_bytes);
void cuemu_cp_async_commit();
void cuemu_cp_async_wait(unsigned allowed_pending);
void cuemu_mma_bf16(void** lane_args, unsigned mask);  // args: cuemu_mma_args
void cuemu_ldmatrix(void** lane_args, unsigned mask);  // args: cuemu_ldm_args
void cuemu_mbar_init(uint64_t* bar, unsigned count);
void cuemu_mbar_arrive(uint64_t* bar, unsigned tx_bytes);
void cuemu_mbar_wait(uint64_t* bar, unsigned parity);
void cuemu_bulk_copy(void* dst, const void* src, unsigned bytes, uint64_t* bar);
uint64_t cuemu_wgmma_desc(const void* tile);
void cuemu_wgmma(float* d, unsigned n, uint64_t a,
                 uint64_t b);  // m64 n k16, bf16, both operands K-major, 128-byte swizzle
void cuemu_wgmma_commit();
void cuemu_wgmma_wait(unsigned allowed_pending);
void cuemu_fail(const char* msg) __attribute__((noreturn));
unsigned cuemu_atomic_add_u32(unsigned*, unsigned);
unsigned long long cuemu_atomic_add_u64(unsigned long long*, unsigned long long);
float cuemu_atomic_add_f32(float*, float);
int cuemu_atomic_max_s32(int*, int);
int cuemu_atomic_min_s32(int*, int);
unsigned cuemu_atomic_cas_u32(unsigned*, unsigned, unsigned);
unsigned cuemu_atomic_exch_u32(unsigned*, unsigned);
void cuemu_acquire();  // see race checker
}
#pragma GCC visibility pop
struct cuemu_mma_args {
  uint32_t a[4], b[2];
  float* d;
};
struct cuemu_ldm_args {
  const void* row;
  uint32_t* r;
  int n, trans;
};

#define threadIdx (cuemu_self->tid)
#define blockIdx (cuemu_self->bid)
#define blockDim (cuemu_self->bdim)
#define gridDim (cuemu_self->gdim)

namespace cuemu {
// One trampoline type per kernel: the tag keeps kernels with equal signatures apart.
template <class Tag, class... A>
struct Reg {
  static void (*fn)(A...);
  template <std::size_t... I>
  static void call(void** p, std::index_sequence<I...>) {
    fn(*reinterpret_cast<std::remove_cv_t<A>*>(p[I])...);
  }
  static void tramp(void** p) { call(p, std::index_sequence_for<A...>{}); }
  Reg(const char* name, void (*f)(A...)) {
    static const unsigned size[] = {unsigned(sizeof(A))..., 0},
                          align[] = {unsigned(alignof(A))..., 0};
    fn = f;
    cuemu_register(name, &tramp, int(sizeof...(A)), size, align);
  }
};
template <class Tag, class... A>
void (*Reg<Tag, A...>::fn)(A...) = nullptr;
template <class Tag, class... A>
Reg<Tag, A...> reg(const char* n, void (*f)(A...)) {
  return {n, f};
}
}  // namespace cuemu
#define CUEMU_EXPORT(kernel)                                                        \
  namespace {                                                                       \
  struct cuemu_tag_##kernel {};                                                     \
  const auto cuemu_reg_##kernel = cuemu::reg<cuemu_tag_##kernel>(#kernel, &kernel); \
  }

// ---- barriers and warp collectives -------------------------------------------------------------
inline void __syncthreads() { cuemu_barrier(0, 0); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) {}

namespace cuemu {
inline void nop(void**, unsigned) {}
struct Shfl {
  uint64_t v;
  int src;
  uint64_t out;
};
inline void shfl_op(void** p, unsigned mask) {
  for (unsigned m = mask; m; m &= m - 1) {
    auto* s = static_cast<Shfl*>(p[__builtin_ctz(m)]);
    auto* o = static_cast<Shfl*>(p[s->src]);
    s->out =
        (mask >> s->src & 1) ? o->v : 0xDEADDEADDEADDEADull;  // lane outside the mask: undefined
  }
}
template <class T>
T shfl(unsigned mask, T v, int src) {
  static_assert(sizeof(T) <= 8, "shfl of at most 8 bytes");
  Shfl s{0, src, 0};
  std::memcpy(&s.v, &v, sizeof v);
  cuemu_collective(mask, &shfl_op, &s, "shfl", 0);
  std::memcpy(&v, &s.out, sizeof v);
  return v;
}
struct Vote {
  int pred;
  unsigned ballot;
};
inline void vote_op(void** p, unsigned mask) {
  unsigned b = 0;
  for (unsigned m = mask; m; m &= m - 1)
    if (static_cast<Vote*>(p[__builtin_ctz(m)])->pred) b |= m & -m;
  for (unsigned m = mask; m; m &= m - 1) static_cast<Vote*>(p[__builtin_ctz(m)])->ballot = b;
}
inline unsigned vote(unsigned mask, int pred) {
  Vote v{pred, 0};
  cuemu_collective(mask, &vote_op, &v, "vote", 0);
  return v.ballot;
}
}  // namespace cuemu
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  cuemu_collective(mask, &cuemu::nop, nullptr, "syncwarp", 1);
}
template <class T>
T __shfl_sync(unsigned m, T v, int src, int w = 32) {
  int l = int(cuemu_self->lane);
  return cuemu::shfl(m, v, (l & ~(w - 1)) | (src & (w - 1)));
}
template <class T>
T __shfl_xor_sync(unsigned m, T v, int x, int w = 32) {
  int l = int(cuemu_self->lane), s = l ^ x;
  return cuemu::shfl(m, v, (s & ~(w - 1)) > (l & ~(w - 1)) ? l : s);
}
template <class T>
T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32) {
  int l = int(cuemu_self->lane), s = l + int(d);
  return cuemu::shfl(m, v, (s ^ l) & ~(w - 1) ? l : s);
}
template <class T>
T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32) {
  int l = int(cuemu_self->lane), s = l - int(d);
  return cuemu::shfl(m, v, s < (l & ~(w - 1)) ? l : s);
}
inline unsigned __ballot_sync(unsigned m, int p) { return cuemu::vote(m, p); }
inline int __any_sync(unsigned m, int p) { return cuemu::vote(m, p) != 0; }
inline int __all_sync(unsigned m, int p) { return cuemu::vote(m, p) == m; }

// ---- atomics (out of line, so that the race checker knows them) ---------------------------------
inline unsigned atomicAdd(unsigned* p, unsigned v) { return cuemu_atomic_add_u32(p, v); }
inline int atomicAdd(int* p, int v) {
  return int(cuemu_atomic_add_u32(reinterpret_cast<unsigned*>(p), unsigned(v)));
}
inline unsigned long long atomicAdd(unsigned long long* p, unsigned long long v) {
  return cuemu_atomic_add_u64(p, v);
}
inline float atomicAdd(float* p, float v) { return cuemu_atomic_add_f32(p, v); }
inline int atomicMax(int* p, int v) { return cuemu_atomic_max_s32(p, v); }
inline int atomicMin(int* p, int v) { return cuemu_atomic_min_s32(p, v); }
inline unsigned atomicCAS(unsigned* p, unsigned c, unsigned v) {
  return cuemu_atomic_cas_u32(p, c, v);
}
inline unsigned atomicExch(unsigned* p, unsigned v) { return cuemu_atomic_exch_u32(p, v); }

// ---- bf16 --------------------------------------------------------------------------------------
struct __align__(2) __nv_bfloat16 {
  uint16_t bits;
};
struct __align__(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};
inline uint32_t __float_as_uint(float f) {
  uint32_t u;
  std::memcpy(&u, &f, 4);
  return u;
}
inline float __uint_as_float(uint32_t u) {
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}
inline int __float_as_int(float f) { return int(__float_as_uint(f)); }
inline float __int_as_float(int i) { return __uint_as_float(uint32_t(i)); }
inline float __bfloat162float(__nv_bfloat16 h) { return __uint_as_float(uint32_t(h.bits) << 16); }
inline __nv_bfloat16 __float2bfloat16(float f) {  // round to nearest even, NaN kept quiet
  uint32_t u = __float_as_uint(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {0x7fff};
  return {uint16_t((u + 0x7fffu + (u >> 16 & 1)) >> 16)};
}
inline __nv_bfloat16 __float2bfloat16_rn(float f) { return __float2bfloat16(f); }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return {__float2bfloat16(a), __float2bfloat16(b)};
}
inline float2 __bfloat1622float2(__nv_bfloat162 v) {
  return {__bfloat162float(v.x), __bfloat162float(v.y)};
}

// ---- scalar intrinsics
// ---------------------------------------------------------------------------
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
// Never fused, whatever the compiler contracts elsewhere.
inline float __fmul_rn(float a, float b) {
  float product = a * b;
  __asm__("" : "+x"(product));
  return product;
}
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
template <class T>
T __ldg(const T* p) {
  return *p;
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline unsigned __brev(unsigned v) {
  unsigned r = 0;
  for (int i = 0; i < 32; i++) r |= (v >> i & 1) << (31 - i);
  return r;
}
using std::max;
using std::min;
