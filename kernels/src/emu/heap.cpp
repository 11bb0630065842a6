// SPDX-License-Identifier: Apache-2.0
// Device memory: one reserved range of this process's addresses, first fit.
#include <sys/mman.h>

#include "fibers.h"

namespace cuemu {
namespace {
struct Allocation {
  size_t bytes;
  int device;
};
std::mutex mu;
char* base;
std::map<char*, Allocation> live;
std::map<char*, size_t> holes;  // address -> bytes; every range is 256-byte aligned
std::map<int, size_t> used;

// At least 256 unused bytes lie between two allocations, so that the checker sees an overrun.
size_t reserved(size_t bytes) { return (bytes + 511) / 256 * 256; }

void init() {
  if (base) return;
  base = static_cast<char*>(mmap(nullptr, kHeap, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (base == MAP_FAILED) {
    std::fprintf(stderr, "cuemu: cannot reserve addresses for device memory\n");
    std::abort();
  }
  holes[base] = kHeap;
}

std::map<char*, Allocation>::iterator holding(const char* p, size_t bytes) {
  auto it = live.upper_bound(const_cast<char*>(p));
  if (it == live.begin()) return live.end();
  --it;
  return p + bytes <= it->first + it->second.bytes ? it : live.end();
}

void release(std::map<char*, Allocation>::iterator it) {
  char* p = it->first;
  size_t n = reserved(it->second.bytes);
  used[it->second.device] -= it->second.bytes;
  live.erase(it);
  // Whole pages go back to the system: a test's large slab must not stay resident.
  auto lo = (reinterpret_cast<uintptr_t>(p) + 4095) & ~uintptr_t(4095);
  auto hi = (reinterpret_cast<uintptr_t>(p) + n) & ~uintptr_t(4095);
  if (hi > lo) madvise(reinterpret_cast<void*>(lo), hi - lo, MADV_DONTNEED);
  auto next = holes.lower_bound(p);
  if (next != holes.end() && p + n == next->first) {
    n += next->second;
    next = holes.erase(next);
  }
  if (next != holes.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == p) {
      before->second += n;
      return;
    }
  }
  holes[p] = n;
}
}  // namespace

void* heap_alloc(size_t bytes, int device) {
  std::lock_guard<std::mutex> lock(mu);
  init();
  if (bytes > config.memory || used[device] > config.memory - bytes) return nullptr;
  const size_t need = reserved(bytes);
  for (auto it = holes.begin(); it != holes.end(); ++it) {
    if (it->second < need) continue;
    char* p = it->first;
    const size_t rest = it->second - need;
    holes.erase(it);
    if (rest) holes[p + need] = rest;
    live[p] = {bytes, device};
    used[device] += bytes;
    if (config.poison) std::memset(p, 0xff, bytes);
    return p;
  }
  return nullptr;
}

bool heap_free(void* p, int device) {
  std::lock_guard<std::mutex> lock(mu);
  auto it = live.find(static_cast<char*>(p));
  if (it == live.end() || it->second.device != device) return false;
  release(it);
  return true;
}

void heap_drop(int device) {
  std::lock_guard<std::mutex> lock(mu);
  for (auto it = live.begin(); it != live.end();) {
    auto at = it++;
    if (at->second.device == device) release(at);
  }
}

bool heap_contains(const void* p, size_t bytes, int device) {
  std::lock_guard<std::mutex> lock(mu);
  auto it = holding(static_cast<const char*>(p), bytes);
  return it != live.end() && it->second.device == device;
}

bool heap_find(const char* p, size_t bytes, char** lo, char** hi) {
  std::lock_guard<std::mutex> lock(mu);
  auto it = holding(p, bytes);
  if (it == live.end()) return false;
  *lo = it->first;
  *hi = it->first + it->second.bytes;
  return true;
}

bool in_heap(const char* p) { return base && p >= base && p < base + kHeap; }
size_t heap_offset(const char* p) { return size_t(p - base); }

size_t heap_used(int device) {
  std::lock_guard<std::mutex> lock(mu);
  return used[device];
}

int heap_allocations(int device) {
  std::lock_guard<std::mutex> lock(mu);
  int n = 0;
  for (auto& entry : live) n += entry.second.device == device;
  return n;
}
}  // namespace cuemu
