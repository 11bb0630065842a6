// SPDX-License-Identifier: Apache-2.0
// Fiber runtime: runs the blocks of a grid, one OS thread per block at a time. Also the device heap.
#include <link.h>
#include <sys/mman.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "cuemu_internal.h"

using cuemu::Ctx;
__thread cuemu_thread* cuemu_self = nullptr;

// ---- context switch ------------------------------------------------------------------------------
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
static void ctx_jump(Ctx& to) { void* dead; cuemu_switch(&dead, to.sp); }
static void ctx_make(Ctx& c, char*, char* hi, void (*fn)()) {
  auto top = reinterpret_cast<uintptr_t>(hi) & ~uintptr_t(15);
  auto* s = reinterpret_cast<void**>(top);
  *--s = nullptr;                          // keeps rsp % 16 == 8 at the entry of fn
  *--s = reinterpret_cast<void*>(fn);
  for (int i = 0; i < 6; i++) *--s = nullptr;
  c.sp = s;
}
#endif

namespace cuemu {
Config config;
bool checking = false;

bool configure(const std::string& s) {
  auto eq = s.find('=');
  if (eq == std::string::npos) return false;
  std::string k = s.substr(0, eq), v = s.substr(eq + 1);
  if (k == "order") {
    if (v == "forward") config.order = Order::Forward;
    else if (v == "reverse") config.order = Order::Reverse;
    else if (v.compare(0, 6, "random") == 0) {
      config.order = Order::Random;
      if (v.size() > 7) config.seed = unsigned(std::stoul(v.substr(7)));
    } else return false;
  } else if (k == "cpasync") config.cp_async_late = v != "early";
  else if (k == "poison") config.poison = v != "0";
  else if (k == "streams") config.lazy_streams = v == "lazy";
  else if (k == "null") config.null_launch = v == "1";
  else if (k == "workers") config.workers = unsigned(std::stoul(v));
  else return false;
  return true;
}
static const bool env_read = [] {            // CUEMU="order=random:7,cpasync=early"
  std::string e = std::getenv("CUEMU") ? std::getenv("CUEMU") : "";
  for (size_t i = 0; i < e.size();) {
    size_t j = std::min(e.find(',', i), e.size());
    if (!configure(e.substr(i, j - i))) std::fprintf(stderr, "cuemu: bad setting %s\n", e.substr(i, j - i).c_str());
    i = j + 1;
  }
  return true;
}();

std::vector<Kernel>& registering() { thread_local std::vector<Kernel> v; return v; }

// ---- device heap -----------------------------------------------------------------------------------
std::mutex heap_mu;
char* heap_base;
std::map<char*, size_t> live;
static std::map<char*, size_t> holes;   // address -> bytes; every range 256-byte aligned
static size_t used;
static void heap_init() {
  if (heap_base) return;
  heap_base = static_cast<char*>(mmap(nullptr, kHeap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  holes[heap_base] = kHeap;
}
void* heap_alloc(size_t n) {
  std::lock_guard<std::mutex> g(heap_mu);
  heap_init();
  size_t need = (n + 511) / 256 * 256;        // at least 256 unused bytes between two allocations
  for (auto it = holes.begin(); it != holes.end(); ++it)
    if (it->second >= need) {
      char* p = it->first;
      size_t rest = it->second - need;
      holes.erase(it);
      if (rest) holes[p + need] = rest;
      live[p] = n;
      used += n;
      if (config.poison) std::memset(p, 0xff, n);
      return p;
    }
  return nullptr;
}
bool heap_free(void* v) {
  std::lock_guard<std::mutex> g(heap_mu);
  auto it = live.find(static_cast<char*>(v));
  if (it == live.end()) return false;
  char* p = it->first;
  size_t need = (it->second + 511) / 256 * 256;
  used -= it->second;
  live.erase(it);
  auto nx = holes.lower_bound(p);
  if (nx != holes.end() && p + need == nx->first) { need += nx->second; nx = holes.erase(nx); }
  if (nx != holes.begin()) {
    auto pv = std::prev(nx);
    if (pv->first + pv->second == p) { pv->second += need; return true; }
  }
  holes[p] = need;
  return true;
}
size_t heap_total() { return kHeap; }
size_t heap_used() { return used; }

// ---- block state -------------------------------------------------------------------------------------
thread_local Worker* me = nullptr;
void leave_block() { cuemu_self = nullptr; ctx_jump(me->main); __builtin_unreachable(); }
char* Worker::take_stack() {
  if (free_stacks.empty()) {
    char* m = static_cast<char*>(mmap(nullptr, kStack + kGuard, PROT_READ | PROT_WRITE,
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
    case Order::Forward: return unsigned(__builtin_ctz(m));
    case Order::Reverse: return 31u - unsigned(__builtin_clz(m));
    default: break;
  }
  rng ^= rng << 13; rng ^= rng >> 7; rng ^= rng << 17;
  unsigned k = unsigned(rng % unsigned(__builtin_popcount(m)));
  while (k--) m &= m - 1;
  return unsigned(__builtin_ctz(m));
}
Fiber* Worker::pick() {
  if (!ready_warps) return nullptr;
  if (config.order == Order::Random || !warps[cur_warp].ready) cur_warp = pick_bit(ready_warps);
  return &fibers[cur_warp * 32 + pick_bit(warps[cur_warp].ready)];
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
  for (unsigned w = 0; w < nwarps; w++) { wake(w, b.waiting[w]); b.waiting[w] = 0; }
  b.arrived = 0;
  block_epoch++;
}
std::string Worker::waiting_report() {
  std::string s;
  char t[256];
  for (unsigned i = 0; i < kBars; i++)
    if (bars[i].arrived) {
      std::snprintf(t, sizeof t, " barrier %u: %u of %u threads arrived;", i, bars[i].arrived, bars[i].need ? bars[i].need : alive);
      s += t;
    }
  if (!mbar_waiters.empty()) {
    std::snprintf(t, sizeof t, " %zu threads wait for an mbarrier, first thread %u;", mbar_waiters.size(), mbar_waiters[0].fiber->linear);
    s += t;
  }
  for (unsigned g = 0; g < nwarps / 4; g++)
    if (groups[g].arrived) {
      std::snprintf(t, sizeof t, " warp group %u: %u of 128 threads in a wgmma step;", g, groups[g].arrived);
      s += t;
    }
  for (unsigned w = 0; w < nwarps; w++)
    for (auto& c : warps[w].coll)
      if (c.arrived) {
        std::snprintf(t, sizeof t, " warp %u %s: mask %08x arrived %08x alive %08x;", w, c.name, c.mask, c.arrived, warps[w].alive);
        s += t;
        if (s.size() > 600) return s + " ...";
      }
  return s;
}

namespace {

void fiber_main();
void resume(Fiber* n) {              // from a live fiber or from the main context
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
  Fiber* n = me->pick();
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
    if (b.arrived && !b.need && b.arrived == w.alive) w.release(b);   // exited threads count as arrived
    if (!w.alive) leave_block();
    Fiber* n = w.pick();
    if (!n) cuemu_fail(("deadlock after a thread exited:" + w.waiting_report()).c_str());
    if (!n->started) {               // adopt this stack: a kernel without barriers is a plain loop
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

uint64_t mix(uint64_t x) { x ^= x >> 33; x *= 0xff51afd7ed558ccdull; x ^= x >> 33; return x | 1; }

struct tls_index { unsigned long module, offset; };   // the x86-64 and AArch64 ABI of __tls_get_addr
extern "C" void* __tls_get_addr(tls_index*);

void run_block(Worker& w, uint3 bid, dim3 grid, dim3 block, unsigned smem, uint64_t launch_id, uint64_t linear) {
  w.nthreads = w.alive = block.x * block.y * block.z;
  w.nwarps = (w.nthreads + 31) / 32;
  w.block_epoch = 0;
  w.cur_warp = 0;
  w.rng = mix(config.seed * 0x9e3779b97f4a7c15ull + linear);
  w.where = (launch_id & 0xfff) << 52 | (linear & 0xfffff) << 32;
  w.ready_warps = w.nwarps == 32 ? ~0u : (1u << w.nwarps) - 1;
  w.smem_bytes = smem;
  std::memset(w.bars, 0, sizeof w.bars);
  for (auto& g : w.groups) { g.arrived = g.group = 0; g.queue.clear(); }
  w.mbar_waiters.clear();
  w.bulk.clear();
  tls_index t0{w.kernel->tls_module, 0};
  w.tls_lo = w.kernel->tls_bytes ? static_cast<char*>(__tls_get_addr(&t0)) : nullptr;
  w.tls_hi = w.tls_lo + w.kernel->tls_bytes;
  if (config.poison) {               // shared memory starts undefined: NaN bytes show a missing store
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
  for (unsigned i = 0; i < w.nthreads; i++)   // a failed block abandons its fibers: take the stacks back
    if (w.fibers[i].stack) { w.free_stacks.push_back(w.fibers[i].stack); w.fibers[i].stack = nullptr; }
}

// ---- worker pool ---------------------------------------------------------------------------------------
struct Pool {
  std::mutex mu;
  std::condition_variable go, done;
  std::vector<std::thread> threads;
  std::vector<Worker*> workers;
  uint64_t ticket = 0, launch_id = 0;
  unsigned active = 0;
  const Kernel* k = nullptr;
  dim3 grid, block;
  unsigned smem = 0;
  void** params = nullptr;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};

  void loop(Worker* w, unsigned index, uint64_t seen) {
    me = w;
    w->smem = static_cast<unsigned char*>(aligned_alloc(1024, kMaxSmem + 1024));
    for (;;) {
      std::unique_lock<std::mutex> l(mu);
      go.wait(l, [&] { return ticket != seen; });
      seen = ticket;
      l.unlock();
      if (index < active) {
        w->kernel = k;
        w->params = params;
        const uint64_t n = uint64_t(grid.x) * grid.y * grid.z;
        for (uint64_t b; !failed.load() && (b = next.fetch_add(1)) < n;) {
          // Blocks too may run in any order: reverse turns the grid round.
          uint64_t q = config.order == Order::Reverse ? n - 1 - b : b;
          uint3 bid{unsigned(q % grid.x), unsigned(q / grid.x % grid.y), unsigned(q / grid.x / grid.y)};
          run_block(*w, bid, grid, block, smem, launch_id, q);
          if (!w->error.empty()) failed = true;
        }
      }
      l.lock();
      if (--pending == 0) done.notify_all();
    }
  }
  unsigned pending = 0;
  std::string run(const Kernel& kk, dim3 g, dim3 b, unsigned sm, void** pp) {
    static std::mutex one;
    std::lock_guard<std::mutex> only(one);
    std::unique_lock<std::mutex> l(mu);
    unsigned want = checking ? 1 : config.workers ? config.workers : std::max(1u, std::thread::hardware_concurrency());
    while (threads.size() < want) {
      auto* w = new Worker;
      workers.push_back(w);
      unsigned i = unsigned(threads.size());
      threads.emplace_back([this, w, i, t = ticket] { loop(w, i, t); });
      threads.back().detach();
    }
    k = &kk; grid = g; block = b; smem = sm; params = pp;
    active = want;
    next = 0;
    failed = false;
    launch_id = launch_id % 4095 + 1;
    if (checking && launch_id == 1) forget_accesses(workers.data(), workers.size());
    pending = unsigned(threads.size());
    ticket++;
    go.notify_all();
    done.wait(l, [&] { return pending == 0; });
    std::string e;
    for (auto* w : workers) {
      if (!w->error.empty() && e.empty()) e = w->error;
      w->error.clear();
      w->reported.clear();
      w->hit_lo = w->hit_hi = nullptr;
    }
    return e;
  }
};
Pool& pool() { static Pool* p = new Pool; return *p; }
std::atomic<unsigned long long> launches{0};
}  // namespace

void find_static_shared(Kernel& k) {
  dl_iterate_phdr([](dl_phdr_info* i, size_t, void* v) {
    auto& k = *static_cast<Kernel*>(v);
    bool here = false;
    for (int p = 0; p < i->dlpi_phnum; p++) {
      auto& h = i->dlpi_phdr[p];
      here |= h.p_type == PT_LOAD && reinterpret_cast<uintptr_t>(k.tramp) - (i->dlpi_addr + h.p_vaddr) < h.p_memsz;
    }
    for (int p = 0; here && p < i->dlpi_phnum; p++)
      if (i->dlpi_phdr[p].p_type == PT_TLS) { k.tls_module = i->dlpi_tls_modid; k.tls_bytes = i->dlpi_phdr[p].p_memsz; }
    return here ? 1 : 0;
  }, &k);
}
std::string launch(const Kernel& k, dim3 g, dim3 b, unsigned smem, void** params) {
  launches++;
  if (config.null_launch) return {};
  return pool().run(k, g, b, smem, params);
}
Stats stats() {
  Stats s{};
  for (auto* w : pool().workers) {
    s.blocks += w->st.blocks; s.threads += w->st.threads; s.switches += w->st.switches;
    s.mma += w->st.mma; s.ldmatrix += w->st.ldmatrix; s.ldmatrix_conflicts += w->st.ldmatrix_conflicts;
  }
  s.launches = launches;
  return s;
}
}  // namespace cuemu
