// SPDX-License-Identifier: Apache-2.0
// Tensor-core steps: mma.sync, ldmatrix, wgmma. Sums run in k order in f32.
#include "fibers.h"

using namespace cuemu;
#define PC __builtin_return_address(0)

#pragma GCC visibility push(default)
extern "C" {
// D = A*B + D, A 16x16 row-major, B 16x8 column-major, bf16 in, f32 accumulation in k order.
void cuemu_mma_bf16(void** lane_args, unsigned mask) {
  if (mask != ~0u) cuemu_fail("mma needs all 32 lanes");
  typedef float v8 __attribute__((vector_size(32)));
  auto lo = [](uint32_t u) { return __uint_as_float(u << 16); };
  auto hi = [](uint32_t u) { return __uint_as_float(u & 0xffff0000u); };
  alignas(32) float a[16][16], b[16][8], c[16][8];
  for (int l = 0; l < 32; l++) {
    auto& q = *static_cast<cuemu_mma_args*>(lane_args[l]);
    const int g = l >> 2, t = (l & 3) * 2;
    a[g][t] = lo(q.a[0]);
    a[g][t + 1] = hi(q.a[0]);
    a[g + 8][t] = lo(q.a[1]);
    a[g + 8][t + 1] = hi(q.a[1]);
    a[g][t + 8] = lo(q.a[2]);
    a[g][t + 9] = hi(q.a[2]);
    a[g + 8][t + 8] = lo(q.a[3]);
    a[g + 8][t + 9] = hi(q.a[3]);
    b[t][g] = lo(q.b[0]);
    b[t + 1][g] = hi(q.b[0]);
    b[t + 8][g] = lo(q.b[1]);
    b[t + 9][g] = hi(q.b[1]);
    c[g][t] = q.d[0];
    c[g][t + 1] = q.d[1];
    c[g + 8][t] = q.d[2];
    c[g + 8][t + 1] = q.d[3];
  }
  v8 bb[16];
  std::memcpy(bb, b, sizeof bb);
  for (int i = 0; i < 16; i++) {
    v8 s;
    std::memcpy(&s, c[i], 32);
    for (int k = 0; k < 16; k++) s += a[i][k] * bb[k];
    std::memcpy(c[i], &s, 32);
  }
  for (int l = 0; l < 32; l++) {
    auto& q = *static_cast<cuemu_mma_args*>(lane_args[l]);
    const int g = l >> 2, t = (l & 3) * 2;
    q.d[0] = c[g][t];
    q.d[1] = c[g][t + 1];
    q.d[2] = c[g + 8][t];
    q.d[3] = c[g + 8][t + 1];
  }
  me->st.mma++;
}

void cuemu_ldmatrix(void** lane_args, unsigned mask) {
  if (mask != ~0u) cuemu_fail("ldmatrix needs all 32 lanes");
  auto arg = [&](int l) -> cuemu_ldm_args& { return *static_cast<cuemu_ldm_args*>(lane_args[l]); };
  const int n = arg(0).n;
  Fiber* lane0 = &me->fibers[self()->pub.warp * 32];
  for (int m = 0; m < n; m++) {
    uint16_t t[8][8];
    unsigned banks = 0;
    for (int r = 0; r < 8; r++) {
      const void* p = arg(m * 8 + r).row;
      if (reinterpret_cast<uintptr_t>(p) & 15)
        cuemu_fail("ldmatrix: row address not 16-byte aligned");
      touch(lane0 + m * 8 + r, p, 16, Read, PC);
      std::memcpy(t[r], p, 16);
      banks |= 1u << (reinterpret_cast<uintptr_t>(p) >> 4 & 7);
    }
    me->st.ldmatrix++;
    me->st.ldmatrix_conflicts += 8u - unsigned(__builtin_popcount(banks));
    for (int l = 0; l < 32; l++) {
      auto& q = arg(l);
      const int r = l >> 2, c = (l & 3) * 2;
      q.r[m] = q.trans ? uint32_t(t[c][r]) | uint32_t(t[c + 1][r]) << 16
                       : uint32_t(t[r][c]) | uint32_t(t[r][c + 1]) << 16;
    }
  }
}

// All 128 threads of a warp group meet, the last one does the work.
static void group_op(cuemu_op op, void* arg) {
  Fiber* f = self();
  const unsigned gi = f->pub.warp / 4;
  if (me->nthreads < (gi + 1) * 128) cuemu_fail("wgmma needs a whole warp group of 128 threads");
  WarpGroup& g = me->groups[gi];
  if (g.arrived && g.op != op) cuemu_fail("warp group diverged in wgmma");
  g.op = op;
  g.arg[f->linear % 128] = arg;
  if (++g.arrived < 128) {
    me->block_lane(f->pub.warp, f->pub.lane);
    yield();
    return;
  }
  g.arrived = 0;
  op(g.arg, gi);
  for (unsigned w = 4 * gi; w < 4 * gi + 4; w++)
    me->wake(w, me->warps[w].alive & (w == f->pub.warp ? ~(1u << f->pub.lane) : ~0u));
  if (config.order != Order::Forward) yield();
}
uint64_t cuemu_wgmma_desc(
    const void* tile) {  // as on the device: start, LBO (ignored), SBO = 1024, 128-byte swizzle
  auto off = uint64_t(static_cast<const unsigned char*>(tile) - me->smem);
  if (off >= uint64_t(kMaxSmem)) cuemu_fail("wgmma: the tile is not in dynamic shared memory");
  return (off & 0x3ffff) >> 4 | uint64_t(1) << 16 | uint64_t(1024 >> 4) << 32 | uint64_t(1) << 62;
}
static float operand(uint64_t desc, unsigned row, unsigned k) {
  const uint64_t start = (desc & 0x3fff) << 4, stride = (desc >> 32 & 0x3fff) << 4;
  uint64_t at = start + row / 8 * stride + row % 8 * 128 + k * 2;
  at ^= (at >> 7 & 7) << 4;
  uint16_t h;
  std::memcpy(&h, me->smem + at, 2);
  return __uint_as_float(uint32_t(h) << 16);
}
static void execute(const WgMma& m) {
  for (unsigned i = 0; checking && i < 64 + m.n;
       i++) {  // attributed to the first thread of the warp group
    const uint64_t desc = i < 64 ? m.a : m.b, row = i < 64 ? i : i - 64;
    uint64_t at = ((desc & 0x3fff) << 4) + row / 8 * ((desc >> 32 & 0x3fff) << 4) + row % 8 * 128;
    for (unsigned c = 0; c < 2; c++) {
      uint64_t b = at + c * 16;
      b ^= (b >> 7 & 7) << 4;
      touch(self(), me->smem + b, 16, Read, PC);
    }
  }
  float b[16][256];
  for (unsigned c = 0; c < m.n; c++)
    for (unsigned k = 0; k < 16; k++) b[k][c] = operand(m.b, c, k);
  for (unsigned r = 0; r < 64; r++) {
    float a[16], s[256];
    for (unsigned k = 0; k < 16; k++) a[k] = operand(m.a, r, k);
    auto cell = [&](unsigned c) -> float& {
      return m.d[r / 16 * 32 + r % 8 * 4 + c % 8 / 2][c / 8 * 4 + r % 16 / 8 * 2 + c % 2];
    };
    for (unsigned c = 0; c < m.n; c++) s[c] = cell(c);
    for (unsigned k = 0; k < 16; k++)
      for (unsigned c = 0; c < m.n; c++) s[c] += a[k] * b[k][c];
    for (unsigned c = 0; c < m.n; c++) cell(c) = s[c];
  }
  me->st.mma += m.n / 2;  // counted in m16n8k16 steps
}
struct WgArg {
  float* d;
  unsigned n;
  uint64_t a, b;
};
static void wgmma_op(void** lanes, unsigned gi) {
  auto& first = *static_cast<WgArg*>(lanes[0]);
  WgMma m{first.a, first.b, first.n, me->groups[gi].group, {}};
  for (int i = 0; i < 128; i++) m.d[i] = static_cast<WgArg*>(lanes[i])->d;
  if (config.wgmma_late)
    me->groups[gi].queue.push_back(m);
  else
    execute(m);
}
static void commit_op(void**, unsigned gi) { me->groups[gi].group++; }
static void wait_op(void** lanes, unsigned gi) {
  auto& g = me->groups[gi];
  const unsigned allowed = *static_cast<unsigned*>(lanes[0]);
  size_t n = 0;
  while (n < g.queue.size() && g.queue[n].group + allowed < g.group) execute(g.queue[n++]);
  g.queue.erase(g.queue.begin(), g.queue.begin() + long(n));
}
void cuemu_wgmma(float* d, unsigned n, uint64_t a, uint64_t b) {
  WgArg q{d, n, a, b};
  group_op(&wgmma_op, &q);
}
void cuemu_wgmma_commit() { group_op(&commit_op, nullptr); }
void cuemu_wgmma_wait(unsigned allowed) { group_op(&wait_op, &allowed); }
}
#pragma GCC visibility pop
