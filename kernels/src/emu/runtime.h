// SPDX-License-Identifier: Apache-2.0
// Between the driver (driver_*.cpp) and what runs kernels (launch.cpp, fibers.cpp, checker.cpp).
#pragma once
#include <string>
#include <vector>

#include "cuemu.h"

namespace cuemu {
enum class Order { Forward, Reverse, Random };

// What a test or the environment may change; docs/cuda.md lists the words.
struct Config {
  Order order = Order::Forward;
  unsigned seed = 1;
  bool cp_async_late = true;  // copies land at the wait; false: at the issue
  bool wgmma_late = true;     // and wgmma reads its operands
  bool poison = true;         // fresh device and shared memory is NaN bytes
  bool lazy_streams = false;  // stream work runs only when somebody waits for it
  bool null_launch = false;   // launches do nothing: what the call itself costs
  unsigned workers = 0;       // OS threads that run blocks; 0: one per core
  int devices = 1;
  int capability = 80;  // compute capability times ten
  int driver_version = 13000;
  size_t memory = size_t(2) << 30;  // bytes of each device
};
extern Config config;

// "order=reverse", "fail=launch:rms_norm:3", "defaults"; false if it means nothing.
bool configure(const std::string& setting);
// Settings of the environment variable CUEMU, over the defaults.
void configure_from_environment();

struct Kernel {
  std::string name;
  void (*tramp)(void**) = nullptr;
  std::vector<unsigned> size, align;  // of each parameter
  int max_dynamic_smem = 48 * 1024;
  bool checked = false;                  // its module calls the race checker
  size_t tls_module = 0, tls_bytes = 0;  // where the module's static shared arrays live
};
void find_static_shared(Kernel& k);

// What the module that is being opened on this thread has registered.
struct Registration {
  std::vector<Kernel> kernels;
  bool checked = false;
};
Registration& registering();

enum class Fault { None, Failed, IllegalAddress, Misaligned };
struct Outcome {
  Fault fault = Fault::None;
  std::string report;
};
// Runs a grid to its end.
Outcome launch(const Kernel& k, dim3 grid, dim3 block, unsigned smem, void** params);

// Device heap: one reserved range for all devices, so that "is this a device pointer" is a
// comparison.
void* heap_alloc(size_t bytes, int device);  // nullptr: over the device's memory
bool heap_free(void* p, int device);
bool heap_contains(const void* p, size_t bytes, int device);  // inside one allocation
size_t heap_used(int device);
int heap_allocations(int device);
void heap_drop(int device);  // frees everything of a device

struct Stats {
  unsigned long long launches, blocks, threads, switches, mma, ldmatrix, ldmatrix_conflicts;
};
Stats stats();
}  // namespace cuemu
