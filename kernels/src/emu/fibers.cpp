// SPDX-License-Identifier: Apache-2.0
// Runs one block: each CUDA thread is a fiber, which gives way only at barriers and collectives.
#include "fibers.h"

#include <sys/mman.h>

using cuemu::Ctx;
__thread cuemu_thread* cuemu_self = nullptr;

// ---- context switch
// ------------------------------------------------------------------------------
#ifdef CUEMU_UCONTEXT
static void ctx_switch(Ctx& from, Ctx& to) { swapcontext(&from.u, &to.u); }
static void ctx_jump(Ctx& to) { setcontext(&to.u); }
static void ctx_make(Ctx& c, char* lo, char* hi, void (*fn)()) {
  getcontext(&c.u);
  c.u.uc_stack.ss_sp = lo;
  c.u.uc_stack.ss_size = size_t(hi - lo);
  c.u.uc_link = nullptr;
  makecontext(&c.u, fn, 0);
}
#else
#if !defined(__x86_64__)
#error "no context switch for this processor: compile with -DCUEMU_UCONTEXT"
#endif
extern "C" void cuemu_switch(void** save_sp, void* load_sp);
asm(R"(
.text
.globl cuemu_switch
.hidden cuemu_switch
.type cuemu_switch,@function
cuemu_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp,(%rdi)
  mov %rsi,%rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size cuemu_switch,.-cuemu_switch
)");
static void ctx_switch(Ctx& from, Ctx& to) { cuemu_switch(&from.sp, to.sp); }
static void ctx_jump(Ctx& to) {
  void* dead;
  cuemu_switch(&dead, to.sp);
}
static void ctx_make(Ctx& c, char*, char* hi, void (*fn)()) {
  auto top = reinterpret_cast<uintptr_t>(hi) & ~uintptr_t(15);
  auto* s = reinterpret_cast<void**>(top);
  *--s = nullptr;  // keeps rsp % 16 == 8 at the entry of fn
  *--s = reinterpret_cast<void*>(fn);
  for (int i = 0; i < 6; i++) *--s = nullptr;
  c.sp = s;
}
#endif

namespace cuemu {
// ---- block state
// -------------------------------------------------------------------------------------
thread_local Worker* me = nullptr;
void leave_block() {
  cuemu_self = nullptr;
  ctx_jump(me->main);
  __builtin_unreachable();
}
char* Worker::take_stack() {
  if (free_stacks.empty()) {
    char* m =
        static_cast<char*>(mmap(nullptr, kStack + kGuard, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0));
    mprotect(m, kGuard, PROT_NONE);
    // Stagger the tops, or every fiber's hot lines fall into the same cache sets.
    m += kGuard + kStack - 64 * (stacks_made++ * 13 % 64);
    return m;
  }
  char* s = free_stacks.back();
  free_stacks.pop_back();
  return s;
}
unsigned Worker::pick_bit(unsigned m) {
  switch (config.order) {
    case Order::Forward:
      return unsigned(__builtin_ctz(m));
    case Order::Reverse:
      return 31u - unsigned(__builtin_clz(m));
    default:
      break;
  }
  rng ^= rng << 13;
  rng ^= rng >> 7;
  rng ^= rng << 17;
  unsigned k = unsigned(rng % unsigned(__builtin_popcount(m)));
  while (k--) m &= m - 1;
  return unsigned(__builtin_ctz(m));
}
Fiber* Worker::pick() {
  if (!ready_warps) return nullptr;
  if (config.order == Order::Random || !warps[cur_warp].ready) cur_warp = pick_bit(ready_warps);
  return &fibers[cur_warp * 32 + pick_bit(warps[cur_warp].ready)];
}
Fiber* Worker::pick_or_land() {
  Fiber* n = pick();
  if (!n && !bulk.empty()) {
    land_bulk_copies(nullptr);
    n = pick();
  }
  return n;
}
void Worker::block_lane(unsigned w, unsigned lane) {
  warps[w].ready &= ~(1u << lane);
  if (!warps[w].ready) ready_warps &= ~(1u << w);
}
void Worker::wake(unsigned w, unsigned mask) {
  if (!mask) return;
  warps[w].ready |= mask;
  ready_warps |= 1u << w;
}
void Worker::release(Bar& b) {
  for (unsigned w = 0; w < nwarps; w++) {
    wake(w, b.waiting[w]);
    b.waiting[w] = 0;
  }
  b.arrived = 0;
  block_epoch++;
}
std::string Worker::waiting_report() {
  std::string s;
  char t[256];
  for (unsigned i = 0; i < kBars; i++)
    if (bars[i].arrived) {
      std::snprintf(t, sizeof t, " barrier %u: %u of %u threads arrived;", i, bars[i].arrived,
                    bars[i].need ? bars[i].need : alive);
      s += t;
    }
  if (!mbar_waiters.empty()) {
    std::snprintf(t, sizeof t, " %zu threads wait for an mbarrier, first thread %u;",
                  mbar_waiters.size(), mbar_waiters[0].fiber->linear);
    s += t;
  }
  for (unsigned g = 0; g < nwarps / 4; g++)
    if (groups[g].arrived) {
      std::snprintf(t, sizeof t, " warp group %u: %u of 128 threads in a wgmma step;", g,
                    groups[g].arrived);
      s += t;
    }
  for (unsigned w = 0; w < nwarps; w++)
    for (auto& c : warps[w].coll)
      if (c.arrived) {
        std::snprintf(t, sizeof t, " warp %u %s: mask %08x arrived %08x alive %08x;", w, c.name,
                      c.mask, c.arrived, warps[w].alive);
        s += t;
        if (s.size() > 600) return s + " ...";
      }
  return s;
}

namespace {

void fiber_main();
void resume(Fiber* n) {  // from a live fiber or from the main context
  Ctx& from = cuemu_self ? self()->ctx : me->main;
  cuemu_self = &n->pub;
  me->st.switches++;
  if (!n->started) {
    n->started = true;
    n->stack = me->take_stack();
    ctx_make(n->ctx, n->stack - kStack + 64 * 64, n->stack, &fiber_main);
  }
  ctx_switch(from, n->ctx);
}
}  // namespace
void yield() {
  Fiber* n = me->pick_or_land();
  if (n == self()) return;
  if (!n) cuemu_fail(("deadlock:" + me->waiting_report()).c_str());
  resume(n);
}
namespace {
void fiber_main() {
  for (;;) {
    me->kernel->tramp(me->params);
    Worker& w = *me;
    Fiber* f = self();
    Warp& wp = w.warps[f->pub.warp];
    wp.alive &= ~(1u << f->pub.lane);
    w.block_lane(f->pub.warp, f->pub.lane);
    w.alive--;
    Bar& b = w.bars[0];
    if (b.arrived && !b.need && b.arrived == w.alive)
      w.release(b);  // exited threads count as arrived
    if (!w.alive) leave_block();
    Fiber* n = w.pick_or_land();
    if (!n) cuemu_fail(("deadlock after a thread exited:" + w.waiting_report()).c_str());
    if (!n->started) {  // adopt this stack: a kernel without barriers is a plain loop
      n->started = true;
      n->stack = f->stack;
      f->stack = nullptr;
      cuemu_self = &n->pub;
      continue;
    }
    w.free_stacks.push_back(f->stack);
    f->stack = nullptr;
    cuemu_self = &n->pub;
    ctx_jump(n->ctx);
  }
}

uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdull;
  x ^= x >> 33;
  return x | 1;
}

struct tls_index {
  unsigned long module, offset;
};  // the x86-64 and AArch64 ABI of __tls_get_addr
extern "C" void* __tls_get_addr(tls_index*);

}  // namespace
void run_block(Worker& w, uint3 bid, dim3 grid, dim3 block, unsigned smem, uint64_t launch_id,
               uint64_t linear) {
  w.nthreads = w.alive = block.x * block.y * block.z;
  w.nwarps = (w.nthreads + 31) / 32;
  w.block_epoch = 0;
  w.cur_warp = 0;
  w.rng = mix(config.seed * 0x9e3779b97f4a7c15ull + linear);
  w.where = (launch_id & 0xfff) << 52 | (linear & 0xfffff) << 32;
  w.ready_warps = w.nwarps == 32 ? ~0u : (1u << w.nwarps) - 1;
  w.smem_bytes = smem;
  std::memset(w.bars, 0, sizeof w.bars);
  for (auto& g : w.groups) {
    g.arrived = g.group = 0;
    g.queue.clear();
  }
  w.mbar_waiters.clear();
  w.bulk.clear();
  tls_index t0{w.kernel->tls_module, 0};
  w.tls_lo = w.kernel->tls_bytes ? static_cast<char*>(__tls_get_addr(&t0)) : nullptr;
  w.tls_hi = w.tls_lo + w.kernel->tls_bytes;
  if (config.poison) {  // shared memory starts undefined: NaN bytes show a missing store
    std::memset(w.smem, 0xff, smem + 256);
    if (w.tls_lo) std::memset(w.tls_lo, 0xff, w.kernel->tls_bytes);
  }
  for (unsigned i = 0; i < w.nwarps; i++) {
    unsigned n = std::min(32u, w.nthreads - i * 32);
    Warp& wp = w.warps[i];
    wp.ready = wp.alive = n == 32 ? ~0u : (1u << n) - 1;
    wp.epoch = 0;
    wp.pending = 0;
    for (auto& c : wp.coll) c.arrived = 0;
  }
  unsigned t = 0;
  for (unsigned z = 0; z < block.z; z++)
    for (unsigned y = 0; y < block.y; y++)
      for (unsigned x = 0; x < block.x; x++, t++) {
        Fiber& f = w.fibers[t];
        f.pub = {{x, y, z}, bid, block, grid, t & 31, t >> 5, w.smem};
        f.started = f.acquired = false;
        f.stack = nullptr;
        f.linear = t;
        f.cp_group = 0;
        f.copies.clear();
      }
  w.st.blocks++;
  w.st.threads += w.nthreads;
  cuemu_self = nullptr;
  resume(w.pick());
  cuemu_self = nullptr;
  for (unsigned i = 0; i < w.nthreads;
       i++)  // a failed block abandons its fibers: take the stacks back
    if (w.fibers[i].stack) {
      w.free_stacks.push_back(w.fibers[i].stack);
      w.fibers[i].stack = nullptr;
    }
}

}  // namespace cuemu
