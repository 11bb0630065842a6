// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies: cp.async, and the bulk copies of Hopper with their mbarriers.
#include "fibers.h"

using namespace cuemu;
#define PC __builtin_return_address(0)

#pragma GCC visibility push(default)
extern "C" {
static void do_copy(const Copy& c) {
  std::memcpy(c.dst, c.src, c.src_bytes);
  std::memset(c.dst + c.src_bytes, 0, c.bytes - c.src_bytes);
}
void cuemu_cp_async(void* dst, const void* src, unsigned bytes, unsigned src_bytes) {
  Fiber* f = self();
  if ((reinterpret_cast<uintptr_t>(dst) | (src_bytes ? reinterpret_cast<uintptr_t>(src) : 0)) &
      (bytes - 1))
    cuemu_fail("cp.async: misaligned address");
  touch(f, dst, bytes, Write, PC);
  if (src_bytes) touch(f, src, src_bytes, Read, PC);
  Copy c{static_cast<char*>(dst), static_cast<const char*>(src), bytes, src_bytes, f->cp_group};
  if (!config.cp_async_late) {
    do_copy(c);
    return;
  }
  std::memset(dst, 0xff, bytes);  // undefined until waited for
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

// ---- Hopper: mbarrier, bulk copy, wgmma
// ------------------------------------------------------------------- Semantics after the PTX ISA;
// what a descriptor or a fragment means is checked on a GPU only by tools/smoke.py.
struct Mbar {
  int64_t phase : 1, count : 12, pending : 12, tx : 24;
};  // our own packing of the opaque 64 bits
static_assert(sizeof(Mbar) == 8, "mbarrier is 8 bytes");
static Mbar get(const uint64_t* p) {
  Mbar b;
  std::memcpy(&b, p, 8);
  return b;
}
static void put(uint64_t* p, Mbar b) {
  if (!b.pending && !b.tx) {  // the phase is complete: flip, re-arm, wake
    b.phase = ~b.phase;
    b.pending = b.count;
    me->block_epoch++;  // the checker takes it for a barrier of the whole block
    auto& w = me->mbar_waiters;
    for (size_t i = 0; i < w.size();)
      if (w[i].bar == p && w[i].parity != unsigned(b.phase & 1)) {
        me->wake(w[i].fiber);
        w[i] = w.back();
        w.pop_back();
      } else
        i++;
  }
  std::memcpy(p, &b, 8);
}
void cuemu_mbar_init(uint64_t* p, unsigned count) {
  Mbar b{0, int(count), int(count), 0};
  std::memcpy(p, &b, 8);
}
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
  if (((reinterpret_cast<uintptr_t>(dst) | reinterpret_cast<uintptr_t>(src) | bytes) & 15))
    cuemu_fail("bulk copy: address or size not a multiple of 16");
  for (unsigned i = 0; checking && i < bytes; i += 16) {
    touch(self(), static_cast<char*>(dst) + i, 16, Write, PC);
    touch(self(), static_cast<const char*>(src) + i, 16, Read, PC);
  }
  BulkCopy c{static_cast<char*>(dst), static_cast<const char*>(src), bytes, bar};
  if (!config.cp_async_late) {
    land(c);
    return;
  }
  std::memset(dst, 0xff, bytes);
  me->bulk.push_back(c);
}
void cuemu_mbar_wait(uint64_t* p, unsigned parity) {
  cuemu::land_bulk_copies(p);  // late mode: the bytes arrive when somebody waits for them
  if (unsigned(get(p).phase & 1) != parity) return;  // the phase of that parity is over
  Fiber* f = self();
  me->mbar_waiters.push_back({f, p, parity});
  me->block_lane(f->pub.warp, f->pub.lane);
  yield();
}
}
#pragma GCC visibility pop
namespace cuemu {
void land_bulk_copies(const uint64_t* bar) {
  auto& q = me->bulk;
  for (size_t i = 0; i < q.size();)
    if (!bar || q[i].bar == bar) {
      BulkCopy c = q[i];
      q.erase(q.begin() + long(i));
      land(c);
    } else
      i++;
}
}  // namespace cuemu
