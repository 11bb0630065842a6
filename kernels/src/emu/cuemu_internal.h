// SPDX-License-Identifier: Apache-2.0
// What the parts of the runtime share: the state of a block that is being run.
#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "cuemu_runtime.h"
#ifdef CUEMU_UCONTEXT
#include <ucontext.h>
#endif

namespace cuemu {
#ifdef CUEMU_UCONTEXT
struct Ctx { ucontext_t u; };
#else
struct Ctx { void* sp; };
#endif

constexpr unsigned kMaxThreads = 1024, kMaxWarps = 32, kBars = 16, kColls = 8;
constexpr size_t kStack = 64 * 1024, kGuard = 4096, kHeap = size_t(8) << 30;
constexpr int kMaxSmem = 227 * 1024;

struct Copy { char* dst; const char* src; unsigned bytes, src_bytes, group; };
struct Fiber {
  cuemu_thread pub;                 // first member: cuemu_self points here
  Ctx ctx;
  char* stack;                      // nullptr: none, or given back
  bool started, acquired;
  unsigned linear, cp_group;
  std::vector<Copy> copies;         // cp.async under way
};
struct Coll { unsigned mask, arrived; cuemu_op op; const char* name; void* arg[32]; };
struct Warp { unsigned ready, alive, epoch, pending; Coll coll[kColls]; };   // pending: bit per slot in use
struct Bar { unsigned arrived, need; unsigned waiting[kMaxWarps]; };
struct MbarWaiter { Fiber* fiber; const uint64_t* bar; unsigned parity; };
struct BulkCopy { char* dst; const char* src; unsigned bytes; uint64_t* bar; };
struct WgMma { uint64_t a, b; unsigned n, group; float* d[128]; };
struct WarpGroup { unsigned arrived; cuemu_op op; void* arg[128]; unsigned group; std::vector<WgMma> queue; };
struct Cell { uint64_t w, r1, r2; };   // stamps of the last write and the last two reads of a byte

struct Worker {
  std::unique_ptr<Fiber[]> fibers{new Fiber[kMaxThreads]};
  Warp warps[kMaxWarps];
  Bar bars[kBars];
  WarpGroup groups[kMaxWarps / 4];
  std::vector<MbarWaiter> mbar_waiters;
  std::vector<BulkCopy> bulk;
  unsigned nthreads, nwarps, alive, ready_warps, cur_warp, block_epoch;
  uint64_t rng, where;              // where: launch and block part of a stamp
  Ctx main;
  std::vector<char*> free_stacks;
  unsigned stacks_made = 0;
  std::string error;
  unsigned char* smem = nullptr;    // dynamic shared memory, 1024-byte aligned, with a red zone after it
  unsigned smem_bytes = 0;
  const Kernel* kernel;
  void** params;
  std::unique_ptr<Cell[]> smem_cells, tls_cells;
  char *tls_lo = nullptr, *tls_hi = nullptr;   // the module's static shared arrays in this OS thread
  char *hit_lo = nullptr, *hit_hi = nullptr;   // the allocation found last
  std::map<std::pair<void*, int>, int> reported;
  Stats st{};

  char* take_stack();
  unsigned pick_bit(unsigned m);
  Fiber* pick();                    // stays in a warp until it has no runnable lane, unless Random
  void block_lane(unsigned w, unsigned lane);
  void wake(unsigned w, unsigned mask);
  void wake(Fiber* f) { wake(f->pub.warp, 1u << f->pub.lane); }
  void release(Bar& b);
  std::string waiting_report();
};
extern thread_local Worker* me;
inline Fiber* self() { return reinterpret_cast<Fiber*>(cuemu_self); }
[[noreturn]] void leave_block();     // abandons the block's other fibers
void yield();                       // gives way to another fiber; the caller has marked itself blocked if it is

extern std::mutex heap_mu;
extern char* heap_base;
extern std::map<char*, size_t> live;   // address -> bytes

extern bool checking;               // set when an instrumented module is opened
enum Kind { Read, Write, Atomic };
void access(Worker& w, Fiber* f, const void* a, unsigned n, Kind kind, void* pc);
inline void touch(Fiber* f, const void* a, unsigned n, Kind k, void* pc) { if (checking) access(*me, f, a, n, k, pc); }
void forget_accesses(Worker* const* workers, size_t n);   // launch numbers are about to repeat
}  // namespace cuemu
