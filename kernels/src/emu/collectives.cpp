// SPDX-License-Identifier: Apache-2.0
// What kernels call: registration, barriers, warp collectives, atomics.
#include "fibers.h"

using namespace cuemu;
#define PC __builtin_return_address(0)

#pragma GCC visibility push(default)
extern "C" {
void cuemu_register(const char* name, void (*tramp)(void**), int n, const unsigned* size,
                    const unsigned* align) {
  Kernel k;
  k.name = name;
  k.tramp = tramp;
  k.size.assign(size, size + n);
  k.align.assign(align, align + n);
  registering().kernels.push_back(k);
}

void cuemu_fail(const char* msg) {
  Fiber* f = self();
  if (!f) {
    std::fprintf(stderr, "cuemu: %s outside a kernel\n", msg);
    std::abort();
  }
  char t[160];
  std::snprintf(t, sizeof t, " [block (%u,%u,%u) thread %u]", f->pub.bid.x, f->pub.bid.y,
                f->pub.bid.z, f->linear);
  Outcome& outcome = me->outcome;
  if (outcome.report.empty()) outcome.report = std::string(msg) + t;
  if (outcome.fault == Fault::None) outcome.fault = Fault::Failed;
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
  if (w.nthreads < 32 * (f->pub.warp + 1)) {  // a partial last warp: lanes that never existed
    unsigned n = w.nthreads - 32 * f->pub.warp;
    mask &= (1u << n) - 1;
  }
  if (!(mask & bit)) cuemu_fail("warp collective: the mask lacks the calling lane");
  Coll* c = nullptr;
  for (unsigned p = wp.pending; p; p &= p - 1) {  // at most one slot, unless the warp has diverged
    Coll& k = wp.coll[__builtin_ctz(p)];
    if (!(k.mask & mask)) continue;
    if (k.mask != mask || k.op != op)
      cuemu_fail(
          (std::string("warp diverged: lanes of one mask in ") + k.name + " and " + name).c_str());
    c = &k;
    break;
  }
  if (!c) {
    const unsigned slot = unsigned(__builtin_ctz(~wp.pending));
    if (slot >= kColls) cuemu_fail("too many warp collectives under way");
    wp.pending |= 1u << slot;
    c = &wp.coll[slot];
    c->mask = mask;
    c->op = op;
    c->name = name;
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
  if (mask & ~wp.alive)
    cuemu_fail(
        (std::string("warp collective ") + name + ": a lane of the mask has exited").c_str());
  w.block_lane(f->pub.warp, f->pub.lane);
  yield();
}

#define ATOMIC(ret, name, T, expr)           \
  ret name {                                 \
    touch(self(), p, sizeof(T), Atomic, PC); \
    expr;                                    \
  }
ATOMIC(unsigned, cuemu_atomic_add_u32(unsigned* p, unsigned v), unsigned,
       return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST))
ATOMIC(unsigned long long, cuemu_atomic_add_u64(unsigned long long* p, unsigned long long v),
       unsigned long long, return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST))
ATOMIC(unsigned, cuemu_atomic_exch_u32(unsigned* p, unsigned v), unsigned,
       return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST))
unsigned cuemu_atomic_cas_u32(unsigned* p, unsigned c, unsigned v) {
  touch(self(), p, 4, Atomic, PC);
  __atomic_compare_exchange_n(p, &c, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return c;
}
float cuemu_atomic_add_f32(float* p, float v) {
  touch(self(), p, 4, Atomic, PC);
  auto* u = reinterpret_cast<uint32_t*>(p);
  uint32_t o = __atomic_load_n(u, __ATOMIC_SEQ_CST);
  while (!__atomic_compare_exchange_n(u, &o, __float_as_uint(__uint_as_float(o) + v), false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return __uint_as_float(o);
}
static int minmax(int* p, int v, bool mx) {
  touch(self(), p, 4, Atomic, PC);
  int o = __atomic_load_n(p, __ATOMIC_SEQ_CST);
  while ((mx ? o < v : o > v) &&
         !__atomic_compare_exchange_n(p, &o, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return o;
}
int cuemu_atomic_max_s32(int* p, int v) { return minmax(p, v, true); }
int cuemu_atomic_min_s32(int* p, int v) { return minmax(p, v, false); }
void cuemu_acquire() { self()->acquired = true; }
}
#pragma GCC visibility pop
