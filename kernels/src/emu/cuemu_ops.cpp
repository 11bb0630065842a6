// SPDX-License-Identifier: Apache-2.0
// What kernels call: registration, barriers, warp collectives, asynchronous copies, tensor-core steps, atomics.
#include "cuemu_internal.h"

using namespace cuemu;
#define PC __builtin_return_address(0)

#pragma GCC visibility push(default)
extern "C" {
void cuemu_register(const char* name, void (*tramp)(void**), int n, const unsigned* size, const unsigned* align) {
  Kernel k;
  k.name = name;
  k.tramp = tramp;
  k.size.assign(size, size + n);
  k.align.assign(align, align + n);
  registering().push_back(k);
}

void cuemu_fail(const char* msg) {
  Fiber* f = self();
  if (!f) { std::fprintf(stderr, "cuemu: %s outside a kernel\n", msg); std::abort(); }
  char t[160];
  std::snprintf(t, sizeof t, " [block (%u,%u,%u) thread %u]", f->pub.bid.x, f->pub.bid.y, f->pub.bid.z, f->linear);
  if (me->error.empty()) me->error = std::string(msg) + t;
  leave_block();
}

void cuemu_barrier(unsigned id, unsigned count) {
  Worker& w = *me;
  Fiber* f = self();
  Bar& b = w.bars[id % kBars];
  if (b.arrived && b.need != count) cuemu_fail("barrier used with two different thread counts");
  b.need = count;
  if (++b.arrived == (count ? count : w.alive)) {
    w.release(b);
    if (config.order != Order::Forward) yield();
    return;
  }
  b.waiting[f->pub.warp] |= 1u << f->pub.lane;
  w.block_lane(f->pub.warp, f->pub.lane);
  yield();
}

void cuemu_collective(unsigned mask, cuemu_op op, void* arg, const char* name, int orders_memory) {
  Worker& w = *me;
  Fiber* f = self();
  Warp& wp = w.warps[f->pub.warp];
  const unsigned bit = 1u << f->pub.lane;
  if (w.nthreads < 32 * (f->pub.warp + 1)) {           // a partial last warp: lanes that never existed
    unsigned n = w.nthreads - 32 * f->pub.warp;
    mask &= (1u << n) - 1;
  }
  if (!(mask & bit)) cuemu_fail("warp collective: the mask lacks the calling lane");
  Coll* c = nullptr;
  for (unsigned p = wp.pending; p; p &= p - 1) {       // at most one slot, unless the warp has diverged
    Coll& k = wp.coll[__builtin_ctz(p)];
    if (!(k.mask & mask)) continue;
    if (k.mask != mask || k.op != op) cuemu_fail((std::string("warp diverged: lanes of one mask in ") + k.name + " and " + name).c_str());
    c = &k;
    break;
  }
  if (!c) {
    const unsigned slot = unsigned(__builtin_ctz(~wp.pending));
    if (slot >= kColls) cuemu_fail("too many warp collectives under way");
    wp.pending |= 1u << slot;
    c = &wp.coll[slot];
    c->mask = mask; c->op = op; c->name = name;
  }
  c->arg[f->pub.lane] = arg;
  c->arrived |= bit;
  if (c->arrived == mask) {
    op(c->arg, mask);
    c->arrived = 0;
    wp.pending &= ~(1u << (c - wp.coll));
    if (orders_memory && (mask & wp.alive) == wp.alive) wp.epoch++;
    w.wake(f->pub.warp, mask & ~bit);
    if (config.order != Order::Forward) yield();
    return;
  }
  if (mask & ~wp.alive) cuemu_fail((std::string("warp collective ") + name + ": a lane of the mask has exited").c_str());
  w.block_lane(f->pub.warp, f->pub.lane);
  yield();
}

static void do_copy(const Copy& c) {
  std::memcpy(c.dst, c.src, c.src_bytes);
  std::memset(c.dst + c.src_bytes, 0, c.bytes - c.src_bytes);
}
void cuemu_cp_async(void* dst, const void* src, unsigned bytes, unsigned src_bytes) {
  Fiber* f = self();
  if ((reinterpret_cast<uintptr_t>(dst) | (src_bytes ? reinterpret_cast<uintptr_t>(src) : 0)) & (bytes - 1)) cuemu_fail("cp.async: misaligned address");
  touch(f, dst, bytes, Write, PC);
  if (src_bytes) touch(f, src, src_bytes, Read, PC);
  Copy c{static_cast<char*>(dst), static_cast<const char*>(src), bytes, src_bytes, f->cp_group};
  if (!config.cp_async_late) { do_copy(c); return; }
  std::memset(dst, 0xff, bytes);      // undefined until waited for
  f->copies.push_back(c);
}
void cuemu_cp_async_commit() { self()->cp_group++; }
void cuemu_cp_async_wait(unsigned allowed) {
  Fiber* f = self();
  size_t i = 0;
  for (; i < f->copies.size() && f->copies[i].group + allowed < f->cp_group; i++) {
    touch(f, f->copies[i].dst, f->copies[i].bytes, Write, PC);
    do_copy(f->copies[i]);
  }
  f->copies.erase(f->copies.begin(), f->copies.begin() + long(i));
}

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
    a[g][t] = lo(q.a[0]);         a[g][t + 1] = hi(q.a[0]);
    a[g + 8][t] = lo(q.a[1]);     a[g + 8][t + 1] = hi(q.a[1]);
    a[g][t + 8] = lo(q.a[2]);     a[g][t + 9] = hi(q.a[2]);
    a[g + 8][t + 8] = lo(q.a[3]); a[g + 8][t + 9] = hi(q.a[3]);
    b[t][g] = lo(q.b[0]);         b[t + 1][g] = hi(q.b[0]);
    b[t + 8][g] = lo(q.b[1]);     b[t + 9][g] = hi(q.b[1]);
    c[g][t] = q.d[0];     c[g][t + 1] = q.d[1];
    c[g + 8][t] = q.d[2]; c[g + 8][t + 1] = q.d[3];
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
    q.d[0] = c[g][t];     q.d[1] = c[g][t + 1];
    q.d[2] = c[g + 8][t]; q.d[3] = c[g + 8][t + 1];
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
      if (reinterpret_cast<uintptr_t>(p) & 15) cuemu_fail("ldmatrix: row address not 16-byte aligned");
      touch(lane0 + m * 8 + r, p, 16, Read, PC);
      std::memcpy(t[r], p, 16);
      banks |= 1u << (reinterpret_cast<uintptr_t>(p) >> 4 & 7);
    }
    me->st.ldmatrix++;
    me->st.ldmatrix_conflicts += 8u - unsigned(__builtin_popcount(banks));
    for (int l = 0; l < 32; l++) {
      auto& q = arg(l);
      const int r = l >> 2, c = (l & 3) * 2;
      q.r[m] = q.trans ? uint32_t(t[c][r]) | uint32_t(t[c + 1][r]) << 16 : uint32_t(t[r][c]) | uint32_t(t[r][c + 1]) << 16;
    }
  }
}

// ---- Hopper: mbarrier, bulk copy, wgmma -------------------------------------------------------------------
// Semantics after the PTX ISA; what a descriptor or a fragment means is checked on a GPU only by tools/smoke.py.
struct Mbar { int64_t phase : 1, count : 12, pending : 12, tx : 24; };   // our own packing of the opaque 64 bits
static_assert(sizeof(Mbar) == 8, "mbarrier is 8 bytes");
static Mbar get(const uint64_t* p) { Mbar b; std::memcpy(&b, p, 8); return b; }
static void put(uint64_t* p, Mbar b) {
  if (!b.pending && !b.tx) {           // the phase is complete: flip, re-arm, wake
    b.phase = ~b.phase;
    b.pending = b.count;
    me->block_epoch++;                 // the checker takes it for a barrier of the whole block
    auto& w = me->mbar_waiters;
    for (size_t i = 0; i < w.size();)
      if (w[i].bar == p && w[i].parity != unsigned(b.phase & 1)) { me->wake(w[i].fiber); w[i] = w.back(); w.pop_back(); }
      else i++;
  }
  std::memcpy(p, &b, 8);
}
void cuemu_mbar_init(uint64_t* p, unsigned count) { Mbar b{0, int(count), int(count), 0}; std::memcpy(p, &b, 8); }
void cuemu_mbar_arrive(uint64_t* p, unsigned tx) {
  Mbar b = get(p);
  if (!b.pending) cuemu_fail("mbarrier: more arrivals than it was initialised for");
  b.tx += int(tx);
  b.pending--;
  put(p, b);
}
static void land(const BulkCopy& c) {
  std::memcpy(c.dst, c.src, c.bytes);
  Mbar b = get(c.bar);
  b.tx -= int(c.bytes);
  put(c.bar, b);
}
void cuemu_bulk_copy(void* dst, const void* src, unsigned bytes, uint64_t* bar) {
  if (((reinterpret_cast<uintptr_t>(dst) | reinterpret_cast<uintptr_t>(src) | bytes) & 15)) cuemu_fail("bulk copy: address or size not a multiple of 16");
  for (unsigned i = 0; checking && i < bytes; i += 16) {
    touch(self(), static_cast<char*>(dst) + i, 16, Write, PC);
    touch(self(), static_cast<const char*>(src) + i, 16, Read, PC);
  }
  BulkCopy c{static_cast<char*>(dst), static_cast<const char*>(src), bytes, bar};
  if (!config.cp_async_late) { land(c); return; }
  std::memset(dst, 0xff, bytes);
  me->bulk.push_back(c);
}
void cuemu_mbar_wait(uint64_t* p, unsigned parity) {
  auto& q = me->bulk;                  // late mode: the bytes arrive when somebody waits for them
  for (size_t i = 0; i < q.size();)
    if (q[i].bar == p) { BulkCopy c = q[i]; q.erase(q.begin() + long(i)); land(c); }
    else i++;
  if (unsigned(get(p).phase & 1) != parity) return;    // the phase of that parity is over
  Fiber* f = self();
  me->mbar_waiters.push_back({f, p, parity});
  me->block_lane(f->pub.warp, f->pub.lane);
  yield();
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
  for (unsigned w = 4 * gi; w < 4 * gi + 4; w++) me->wake(w, me->warps[w].alive & (w == f->pub.warp ? ~(1u << f->pub.lane) : ~0u));
  if (config.order != Order::Forward) yield();
}
uint64_t cuemu_wgmma_desc(const void* tile) {            // as on the device: start, LBO (ignored), SBO = 1024, 128-byte swizzle
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
  for (unsigned i = 0; checking && i < 64 + m.n; i++) {  // attributed to the first thread of the warp group
    const uint64_t desc = i < 64 ? m.a : m.b, row = i < 64 ? i : i - 64;
    uint64_t at = ((desc & 0x3fff) << 4) + row / 8 * ((desc >> 32 & 0x3fff) << 4) + row % 8 * 128;
    for (unsigned c = 0; c < 2; c++) { uint64_t b = at + c * 16; b ^= (b >> 7 & 7) << 4; touch(self(), me->smem + b, 16, Read, PC); }
  }
  float b[16][256];
  for (unsigned c = 0; c < m.n; c++) for (unsigned k = 0; k < 16; k++) b[k][c] = operand(m.b, c, k);
  for (unsigned r = 0; r < 64; r++) {
    float a[16], s[256];
    for (unsigned k = 0; k < 16; k++) a[k] = operand(m.a, r, k);
    auto cell = [&](unsigned c) -> float& { return m.d[r / 16 * 32 + r % 8 * 4 + c % 8 / 2][c / 8 * 4 + r % 16 / 8 * 2 + c % 2]; };
    for (unsigned c = 0; c < m.n; c++) s[c] = cell(c);
    for (unsigned k = 0; k < 16; k++) for (unsigned c = 0; c < m.n; c++) s[c] += a[k] * b[k][c];
    for (unsigned c = 0; c < m.n; c++) cell(c) = s[c];
  }
  me->st.mma += m.n / 2;                                 // counted in m16n8k16 steps
}
struct WgArg { float* d; unsigned n; uint64_t a, b; };
static void wgmma_op(void** lanes, unsigned gi) {
  auto& first = *static_cast<WgArg*>(lanes[0]);
  WgMma m{first.a, first.b, first.n, me->groups[gi].group, {}};
  for (int i = 0; i < 128; i++) m.d[i] = static_cast<WgArg*>(lanes[i])->d;
  if (config.cp_async_late) me->groups[gi].queue.push_back(m); else execute(m);
}
static void commit_op(void**, unsigned gi) { me->groups[gi].group++; }
static void wait_op(void** lanes, unsigned gi) {
  auto& g = me->groups[gi];
  const unsigned allowed = *static_cast<unsigned*>(lanes[0]);
  size_t n = 0;
  while (n < g.queue.size() && g.queue[n].group + allowed < g.group) execute(g.queue[n++]);
  g.queue.erase(g.queue.begin(), g.queue.begin() + long(n));
}
void cuemu_wgmma(float* d, unsigned n, uint64_t a, uint64_t b) { WgArg q{d, n, a, b}; group_op(&wgmma_op, &q); }
void cuemu_wgmma_commit() { group_op(&commit_op, nullptr); }
void cuemu_wgmma_wait(unsigned allowed) { group_op(&wait_op, &allowed); }

#define ATOMIC(ret, name, T, expr)                    \
  ret name { touch(self(), p, sizeof(T), Atomic, PC); expr; }
ATOMIC(unsigned, cuemu_atomic_add_u32(unsigned* p, unsigned v), unsigned, return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST))
ATOMIC(unsigned long long, cuemu_atomic_add_u64(unsigned long long* p, unsigned long long v), unsigned long long, return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST))
ATOMIC(unsigned, cuemu_atomic_exch_u32(unsigned* p, unsigned v), unsigned, return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
unsigned cuemu_atomic_cas_u32(unsigned* p, unsigned c, unsigned v) {
  touch(self(), p, 4, Atomic, PC);
  __atomic_compare_exchange_n(p, &c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return c;
}
float cuemu_atomic_add_f32(float* p, float v) {
  touch(self(), p, 4, Atomic, PC);
  auto* u = reinterpret_cast<uint32_t*>(p);
  uint32_t o = __atomic_load_n(u, __ATOMIC_SEQ_CST);
  while (!__atomic_compare_exchange_n(u, &o, __float_as_uint(__uint_as_float(o) + v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
  return __uint_as_float(o);
}
static int minmax(int* p, int v, bool mx) {
  touch(self(), p, 4, Atomic, PC);
  int o = __atomic_load_n(p, __ATOMIC_SEQ_CST);
  while ((mx ? o < v : o > v) && !__atomic_compare_exchange_n(p, &o, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
  return o;
}
int cuemu_atomic_max_s32(int* p, int v) { return minmax(p, v, true); }
int cuemu_atomic_min_s32(int* p, int v) { return minmax(p, v, false); }
void cuemu_acquire() { self()->acquired = true; }
}
#pragma GCC visibility pop
