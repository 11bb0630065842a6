// SPDX-License-Identifier: Apache-2.0
// The state of a block that is being run: one fiber per CUDA thread, one worker per OS thread.
#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "runtime.h"
#ifdef CUEMU_UCONTEXT
#include <ucontext.h>
#endif

namespace cuemu {
#ifdef CUEMU_UCONTEXT
struct Ctx {
  ucontext_t u;
};
#else
struct Ctx {
  void* sp;
};
#endif

constexpr unsigned kMaxThreads = 1024, kMaxWarps = 32, kBars = 16, kColls = 8;
constexpr size_t kStack = 64 * 1024, kGuard = 4096, kHeap = size_t(32) << 30;
constexpr int kMaxSmem = 227 * 1024;

struct Copy {
  char* dst;
  const char* src;
  unsigned bytes, src_bytes, group;
};
struct Fiber {
  cuemu_thread pub;  // first member: cuemu_self points here
  Ctx ctx;
  char* stack;  // nullptr: none, or given back
  bool started, acquired;
  unsigned linear, cp_group;
  std::vector<Copy> copies;  // cp.async under way
};
// A warp collective that lanes are arriving at.
struct Coll {
  unsigned mask, arrived;
  cuemu_op op;
  const char* name;
  void* arg[32];
};
struct Warp {
  unsigned ready, alive, epoch, pending;  // pending: bit per slot in use
  Coll coll[kColls];
};
struct Bar {
  unsigned arrived, need;
  unsigned waiting[kMaxWarps];
};
struct MbarWaiter {
  Fiber* fiber;
  const uint64_t* bar;
  unsigned parity;
};
struct BulkCopy {
  char* dst;
  const char* src;
  unsigned bytes;
  uint64_t* bar;
};
struct WgMma {
  uint64_t a, b;
  unsigned n, group;
  float* d[128];
};
struct WarpGroup {
  unsigned arrived;
  cuemu_op op;
  void* arg[128];
  unsigned group;
  std::vector<WgMma> queue;
};
// Stamps of the last write and the last two reads of a byte.
struct Cell {
  uint64_t w, r1, r2;
};

struct Worker {
  std::unique_ptr<Fiber[]> fibers{new Fiber[kMaxThreads]};
  Warp warps[kMaxWarps];
  Bar bars[kBars];
  WarpGroup groups[kMaxWarps / 4];
  std::vector<MbarWaiter> mbar_waiters;
  std::vector<BulkCopy> bulk;
  unsigned nthreads, nwarps, alive, ready_warps, cur_warp, block_epoch;
  uint64_t rng, where;  // where: launch and block part of a stamp
  Ctx main;
  std::vector<char*> free_stacks;
  unsigned stacks_made = 0;
  Outcome outcome;
  unsigned char* smem = nullptr;  // dynamic shared memory, 1024-byte aligned, a red zone after it
  unsigned smem_bytes = 0;
  const Kernel* kernel;
  void** params;
  std::unique_ptr<Cell[]> smem_cells, tls_cells;
  char *tls_lo = nullptr, *tls_hi = nullptr;  // the module's static shared arrays in this OS thread
  char *hit_lo = nullptr, *hit_hi = nullptr;  // the allocation found last
  std::map<std::pair<void*, int>, int> reported;
  Stats st{};

  char* take_stack();
  unsigned pick_bit(unsigned m);
  Fiber* pick();  // stays in a warp until it has no runnable lane, unless Random
  Fiber* pick_or_land();  // bulk copies for which threads wait already arrive when nobody can run
  void block_lane(unsigned w, unsigned lane);
  void wake(unsigned w, unsigned mask);
  void wake(Fiber* f) { wake(f->pub.warp, 1u << f->pub.lane); }
  void release(Bar& b);
  std::string waiting_report();
};
extern thread_local Worker* me;
inline Fiber* self() { return reinterpret_cast<Fiber*>(cuemu_self); }
[[noreturn]] void leave_block();  // abandons the block's other fibers
void land_bulk_copies(const uint64_t* bar);  // those of one mbarrier, or all of the block: nullptr
void yield();  // gives way to another fiber; the caller has marked itself blocked if it is
void run_block(Worker& w, uint3 bid, dim3 grid, dim3 block, unsigned smem, uint64_t launch_id,
               uint64_t linear);
void catch_illegal_addresses();     // in kernels, for the whole process
void use_signal_stack();            // of the calling OS thread
std::string source_line(void* pc);  // file:line of an instruction, "?" if unknown

// The allocation that holds [p, p + bytes); false: none does.
bool heap_find(const char* p, size_t bytes, char** lo, char** hi);
bool in_heap(const char* p);
size_t heap_offset(const char* p);

extern bool checking;  // the kernel that runs calls the race checker
enum Kind { Read, Write, Atomic };
void access(Worker& w, Fiber* f, const void* a, unsigned n, Kind kind, void* pc);
inline void touch(Fiber* f, const void* a, unsigned n, Kind k, void* pc) {
  if (checking) access(*me, f, a, n, k, pc);
}
void forget_accesses(Worker* const* workers, size_t n);  // launch numbers are about to repeat
}  // namespace cuemu
