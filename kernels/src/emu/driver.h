// SPDX-License-Identifier: Apache-2.0
// The stand-in driver: the part of the CUDA driver API that JCuda and Everwatch use, in one process
// under one lock. A "module" is a shared object built from the same .cu files with cuemu.h; its
// bytes go through cuModuleLoadData just as a fat binary does on a GPU.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "runtime.h"

typedef int CUresult;
typedef unsigned long long CUdeviceptr;

namespace cuemu {
constexpr CUresult OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100,
                   INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
                   ECC_UNCORRECTABLE = 214, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600,
                   ILLEGAL_ADDRESS = 700, LAUNCH_OUT_OF_RESOURCES = 701, MISALIGNED_ADDRESS = 716,
                   LAUNCH_FAILED = 719, NOT_SUPPORTED = 801, CAPTURE_UNSUPPORTED = 900,
                   CAPTURE_UNMATCHED = 903;
// Whether a status spoils the context, as it would on a GPU.
bool is_lost(CUresult status);

struct Device;
using Op = std::function<CUresult()>;
struct Graph {
  std::vector<Op> ops;
  Device* device;
  std::thread::id thread;  // that captures it
  bool thread_local_mode;
};
// One launch that does not end before it is released.
struct Hang {
  bool released = false;
};
struct Work {
  Op op;
  std::shared_ptr<Hang> hang;  // waited for before op
};
struct Stream {
  Device* device;
  std::deque<Work> queue;
  std::shared_ptr<Graph> capture;
  bool non_blocking = false;
};
struct Event {
  Device* device;
  std::shared_ptr<Stream> stream;
  std::shared_ptr<Graph> capture;
  unsigned long long recorded = 0, done = 0;
  double at = 0;  // milliseconds
};
struct Function {
  Kernel kernel;
  Device* device;
};
struct Module {
  Device* device;
  std::map<std::string, std::shared_ptr<Function>> functions;
};

// Handles of one kind that exist; any other is refused, as are those of things destroyed before.
template <class T>
class Handles {
 public:
  void* add(std::shared_ptr<T> thing) {
    void* handle = thing.get();
    all_[handle] = std::move(thing);
    return handle;
  }
  std::shared_ptr<T> find(void* handle) const {
    auto it = all_.find(handle);
    return it == all_.end() ? nullptr : it->second;
  }
  bool remove(void* handle) { return all_.erase(handle) > 0; }
  void drop(Device* device) {
    for (auto it = all_.begin(); it != all_.end();)
      it = it->second->device == device ? all_.erase(it) : std::next(it);
  }
  int count(const Device* device) const {
    int n = 0;
    for (auto& entry : all_) n += entry.second->device == device;
    return n;
  }
  std::vector<std::shared_ptr<T>> all() const {
    std::vector<std::shared_ptr<T>> list;
    for (auto& entry : all_) list.push_back(entry.second);
    return list;
  }

 private:
  std::unordered_map<void*, std::shared_ptr<T>> all_;
};

// What a device did since it was made, for tests.
struct Counters {
  unsigned long long launches, graph_launches, uploads, downloads, copies, fills, upload_bytes,
      download_bytes,
      allocations,  // of memory and of page-locked memory
      leaked;  // modules, streams, events, memory, graphs that were left when the context ended
};
struct Device {
  int index;
  int retained = 0;    // references to the primary context
  CUresult lost = OK;  // the status that every call gets from now on
  std::shared_ptr<Stream> null_stream;
  std::unordered_map<void*, size_t> pinned;
  Counters counters{};
};
using Context = Device;  // only primary contexts are offered: one per device

extern std::string last_report;   // of a kernel that failed, with its name
extern std::mutex driver_mutex;
extern thread_local Context* current_context;
extern Handles<Stream> streams;
extern Handles<Event> events;
extern Handles<Module> modules;
extern Handles<Function> functions;
extern Handles<Graph> graphs, graph_execs;
Device* device_at(int index);  // nullptr: no such device

// The lock of the call that this thread is in: given up while it waits for a hanging launch.
extern thread_local std::unique_lock<std::mutex>* held_lock;
class Call {
 public:
  Call();
  ~Call() { held_lock = nullptr; }

 private:
  std::unique_lock<std::mutex> lock_;
};

// Runs a call of a device's context: refused without a current context and after a lost error.
template <class F>
CUresult with_context(F body) {
  Call call;
  Device* device = current_context;
  if (!device) return INVALID_CONTEXT;
  if (device->lost) return device->lost;
  if (!device->retained) return INVALID_CONTEXT;
  return body(*device);
}

// --- streams (driver_stream.cpp) ---
std::shared_ptr<Stream> stream_of(Device& device, void* handle);  // nullptr: no such stream
CUresult submit(Stream& stream, Op op, std::shared_ptr<Hang> hang = nullptr);
CUresult drain(Stream& stream);
CUresult drain_all(Device& device, bool also_non_blocking);
bool capture_forbids(Device& device);  // a call that waits or allocates, on this thread

// --- faults.cpp ---
// The status that an injected fault wants for this call, OK for none. Calls: launch, graph, alloc,
// pinned, copy, sync, module, stream, event, init; name is the kernel's for launch and else "*".
CUresult fault(const char* call, const std::string& name = "*");
// As fault, of the class that the driver refuses at the call itself / of the class that spoils the
// context when the work runs.
CUresult fault_at_submit(const std::string& kernel);
CUresult fault_at_run(const std::string& kernel);
std::shared_ptr<Hang> hang_due(const std::string& kernel);
void wait_for(const Hang& hang);
void forget_faults();                       // and release what hangs
bool inject(const std::string& fault);      // "launch:rms_norm:3[:719]", "none"
bool inject_hang(const std::string& hang);  // "rms_norm:3", "none"
bool inject_once(const std::string& path);  // faults hold for the process that removes this file
void replace_lost_devices();

inline void* address(CUdeviceptr p) { return reinterpret_cast<void*>(p); }
}  // namespace cuemu
