// SPDX-License-Identifier: Apache-2.0
// Memory and race checker behind modules compiled with -fsanitize=thread: g++ puts a call before
// each load and store; the calls end here, since libtsan itself is not linked.
#include <sys/mman.h>

#include "fibers.h"

namespace cuemu {
// ---- checker
// ---------------------------------------------------------------------------------------------
namespace {
Cell* heap_cells;  // one cell per heap byte, touched lazily
constexpr uint64_t kLaunch = 0xfffull << 52, kWhere = 0xffffffffull << 32;

uint64_t stamp(Worker& w,
               Fiber* f) {  // launch 12 | block 20 | thread 10 | block epoch 12 | warp epoch 10
  return w.where | uint64_t(f->linear) << 22 | uint64_t(w.block_epoch & 0xfff) << 10 |
         (w.warps[f->pub.warp].epoch & 0x3ff);
}
bool ordered(uint64_t old, uint64_t now, bool shared, bool acquired) {
  if (!old || ((old ^ now) & kLaunch)) return true;
  if ((old ^ now) & kWhere) return shared || acquired;  // another block of the same launch
  if (!((old ^ now) >> 22 & 0x3ff)) return true;        // same thread
  if ((old ^ now) >> 10 & 0xfff) return true;           // a block barrier lies between
  return !((old ^ now) >> 27 & 0x1f) &&
         ((old ^ now) & 0x3ff);  // same warp with a __syncwarp between
}
void report(Worker& w, Fiber* f, Fault kind, const char* what, void* pc, const void* a, unsigned n,
            uint64_t other) {
  if (w.reported[{pc, what[0]}]++) return;
  char t[512];
  auto* p = static_cast<const char*>(a);
  const char* space =
      in_heap(p) ? "global"
      : p >= reinterpret_cast<char*>(w.smem) && p < reinterpret_cast<char*>(w.smem) + kMaxSmem
          ? "dynamic shared"
          : "static shared";
  std::snprintf(t, sizeof t,
                "%s%s: %s memory, %u bytes, block (%u,%u,%u) thread %u, other thread %d, at %s",
                w.outcome.report.empty() ? "" : "\n  ", what, space, n, f->pub.bid.x, f->pub.bid.y,
                f->pub.bid.z, f->linear, other ? int(other >> 22 & 0x3ff) : -1,
                source_line(static_cast<char*>(pc) - 1).c_str());
  if (w.outcome.fault == Fault::None) w.outcome.fault = kind;
  if (w.outcome.report.size() < 4000) w.outcome.report += t;
}
}  // namespace
void access(Worker& w, Fiber* f, const void* av, unsigned n, Kind kind, void* pc) {
  auto* a = static_cast<const char*>(av);
  auto* sm = reinterpret_cast<const char*>(w.smem);
  Cell* c;
  bool shared = true;
  if (a >= sm && a < sm + kMaxSmem) {
    if (a + n > sm + w.smem_bytes) {
      report(w, f, Fault::IllegalAddress, "out of bounds", pc, a, n, 0);
      return;
    }
    if (!w.smem_cells) w.smem_cells.reset(new Cell[kMaxSmem]());
    c = &w.smem_cells[a - sm];
  } else if (in_heap(a)) {
    if ((a < w.hit_lo || a + n > w.hit_hi) && !heap_find(a, n, &w.hit_lo, &w.hit_hi)) {
      report(w, f, Fault::IllegalAddress, "out of bounds", pc, a, n, 0);
      return;
    }
    if (!heap_cells)
      heap_cells = static_cast<Cell*>(mmap(nullptr, kHeap * sizeof(Cell), PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    c = &heap_cells[heap_offset(a)];
    shared = false;
  } else if (w.tls_lo && a >= w.tls_lo && a < w.tls_hi) {
    if (!w.tls_cells) w.tls_cells.reset(new Cell[1 << 20]());
    c = &w.tls_cells[a - w.tls_lo];
  } else {
    return;  // the thread's own stack, constants, runtime state
  }
  if (n >= 2 && n <= 16 && (reinterpret_cast<uintptr_t>(a) & (n - 1)))
    report(w, f, Fault::Misaligned, "misaligned", pc, a, n, 0);
  const uint64_t now = stamp(w, f);
  for (unsigned i = 0; i < n; i++) {
    Cell& k = c[i];
    if (kind == Read) {
      if (!ordered(k.w, now, shared, f->acquired))
        report(w, f, Fault::Failed, "race: read after write", pc, a, n, k.w);
      if ((k.r1 ^ now) >> 22 & 0x3ff) k.r2 = k.r1;
      k.r1 = now;
    } else {
      if (kind == Write && !ordered(k.w, now, shared, f->acquired))
        report(w, f, Fault::Failed, "race: write after write", pc, a, n, k.w);
      if (!ordered(k.r1, now, shared, f->acquired))
        report(w, f, Fault::Failed, "race: write after read", pc, a, n, k.r1);
      else if (!ordered(k.r2, now, shared, f->acquired))
        report(w, f, Fault::Failed, "race: write after read", pc, a, n, k.r2);
      k.w = kind == Atomic ? 0 : now;  // atomics are ordered among themselves
    }
  }
}
static void hook(const void* a, unsigned n, Kind k, void* pc) {
  if (cuemu_self && checking) access(*me, self(), a, n, k, pc);
}
void forget_accesses(Worker* const* ws, size_t n) {
  if (heap_cells) madvise(heap_cells, kHeap * sizeof(Cell), MADV_DONTNEED);
  for (size_t i = 0; i < n; i++) {
    ws[i]->smem_cells.reset();
    ws[i]->tls_cells.reset();
  }
}
}  // namespace cuemu

using namespace cuemu;
#define PC __builtin_return_address(0)
#pragma GCC visibility push(default)
extern "C" {
void __tsan_init() { registering().checked = true; }
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
#define HOOKS(n)                                                   \
  void __tsan_read##n(void* a) { hook(a, n, Read, PC); }           \
  void __tsan_write##n(void* a) { hook(a, n, Write, PC); }         \
  void __tsan_unaligned_read##n(void* a) { hook(a, n, Read, PC); } \
  void __tsan_unaligned_write##n(void* a) { hook(a, n, Write, PC); }
HOOKS(1) HOOKS(2) HOOKS(4) HOOKS(8) HOOKS(16) void __tsan_read_range(void* a, unsigned long n) {
  hook(a, unsigned(n), Read, PC);
}
void __tsan_write_range(void* a, unsigned long n) { hook(a, unsigned(n), Write, PC); }
}
#pragma GCC visibility pop
