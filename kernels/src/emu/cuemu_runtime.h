// SPDX-License-Identifier: Apache-2.0
// Internal interface between the fiber runtime (cuemu_runtime.cpp) and the driver stub (cuda_stub.cpp).
#pragma once
#include <string>
#include <vector>
#include "cuemu.h"

namespace cuemu {
enum class Order { Forward, Reverse, Random };
struct Config {
  Order order = Order::Forward;
  unsigned seed = 1;
  bool cp_async_late = true;   // true: copies land at the wait, false: at the issue
  bool poison = true;          // shared memory starts as NaN bytes
  bool lazy_streams = false;   // true: stream work runs only when somebody waits for it
  bool null_launch = false;    // true: launches do nothing (to measure call overhead)
  unsigned workers = 0;        // 0: one per core
};
extern Config config;
bool configure(const std::string& key_eq_value);   // "order=reverse", "order=random:7", ...

struct Kernel {
  std::string name;
  void (*tramp)(void**) = nullptr;
  std::vector<unsigned> size, align;
  int max_dynamic_smem = 48 * 1024;
  size_t tls_module = 0, tls_bytes = 0;   // where the module's static shared arrays live
};
void find_static_shared(Kernel& k);
// Kernels registered by the module that is being opened on this thread.
std::vector<Kernel>& registering();

// Runs a grid to its end. Empty string: fine; else the diagnosis.
std::string launch(const Kernel& k, dim3 grid, dim3 block, unsigned smem, void** params);

// Device heap: one reserved range, so that "is this a device pointer" is a comparison.
void* heap_alloc(size_t bytes);
bool heap_free(void* p);
size_t heap_total();
size_t heap_used();

struct Stats { unsigned long long launches, blocks, threads, switches, mma, ldmatrix, ldmatrix_conflicts; };
Stats stats();
}  // namespace cuemu
