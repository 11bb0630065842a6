// SPDX-License-Identifier: Apache-2.0
// Errors, devices and contexts. After a lost error every call about a device is refused.
#include <cstdlib>

#include "driver.h"

namespace cuemu {
std::mutex driver_mutex;
std::string last_report;
thread_local Context* current_context = nullptr;
thread_local std::unique_lock<std::mutex>* held_lock = nullptr;
Handles<Stream> streams;
Handles<Event> events;
Handles<Module> modules;
Handles<Function> functions;
Handles<Graph> graphs, graph_execs;

namespace {
std::vector<std::unique_ptr<Device>> devices;

// Counters are attributes with these numbers; see Emulation.java.
constexpr int kCounters = 0x45570000;

int counter(const Device& d, int which) {
  switch (which) {
    case 0:
      return d.retained;
    case 1:
      return modules.count(&d);
    case 2:
      return streams.count(&d);
    case 3:
      return events.count(&d);
    case 4:
      return heap_allocations(d.index);
    case 5:
      return int(d.pinned.size());
    case 6:
      return graphs.count(&d) + graph_execs.count(&d);
    case 7:
      return int(d.counters.launches);
    case 8:
      return int(d.counters.graph_launches);
    case 9:
      return int(d.counters.uploads);
    case 10:
      return int(d.counters.downloads);
    case 11:
      return int(d.counters.copies);
    case 12:
      return int(d.counters.fills);
    case 13:
      return int(d.counters.upload_bytes);
    case 14:
      return int(d.counters.download_bytes);
    case 15:
      return int(d.counters.leaked);
    case 16:
      return int(d.counters.allocations);
    case 17:
      return int(heap_used(d.index) / 1024);
    default:
      return -1;
  }
}

int attribute(int a) {
  static const std::map<int, int> table{
      {1, 1024},   {2, 1024},  {3, 1024},  {4, 64},      {5, 2147483647}, {6, 65535},
      {7, 65535},  {8, 49152}, {9, 65536}, {10, 32},     {12, 65536},     {13, 1000000},
      {15, 1},     {16, 2},    {18, 0},    {19, 1},      {20, 0},         {31, 1},
      {35, 0},     {38, 0},    {39, 2048}, {40, 1},      {41, 1},         {81, 233472},
      {82, 65536}, {83, 1},    {95, 0},    {97, 232448}, {115, 1}};
  if (a == 75) return config.capability / 10;
  if (a == 76) return config.capability % 10;
  auto it = table.find(a);
  return it == table.end() ? 0 : it->second;
}

template <class F>
CUresult with_device(int index, F body) {
  Call call;
  Device* d = device_at(index);
  if (!d) return INVALID_DEVICE;
  if (d->lost) return d->lost;
  return body(*d);
}

int live(const Device& d) {
  int n = 0;
  for (int kind = 1; kind <= 6; kind++) n += counter(d, kind);
  return n;
}

// Everything that lives on a device.
void drop(Device& d) {
  for (auto& s : streams.all())
    if (s->device == &d) s->queue.clear();
  d.null_stream->queue.clear();
  streams.drop(&d);
  events.drop(&d);
  graphs.drop(&d);
  graph_execs.drop(&d);
  functions.drop(&d);
  modules.drop(&d);
  heap_drop(d.index);
  for (auto& p : d.pinned) std::free(p.first);
  d.pinned.clear();
}
}  // namespace

Device* device_at(int index) {
  if (index < 0 || index >= config.devices) return nullptr;
  while (int(devices.size()) <= index) {
    auto d = std::make_unique<Device>();
    d->index = int(devices.size());
    d->null_stream = std::make_shared<Stream>();
    d->null_stream->device = d.get();
    devices.push_back(std::move(d));
  }
  return devices[size_t(index)].get();
}

// For tests alone, which share a process: as if somebody had put in a new card.
void replace_lost_devices() {
  for (auto& d : devices) {
    if (!d->lost) continue;
    last_report.clear();
    drop(*d);
    d->lost = OK;
    d->retained = 0;
  }
}

Call::Call() : lock_(driver_mutex) {
  held_lock = &lock_;
  static const bool once = [] {   // not before main: the faults' lists must exist
    configure_from_environment();
    return true;
  }();
  (void)once;
}
}  // namespace cuemu

using namespace cuemu;

#pragma GCC visibility push(default)
extern "C" {
CUresult cuGetErrorName(CUresult e, const char** name) {
  static const std::map<int, const char*> names{{0, "CUDA_SUCCESS"},
                                                {1, "CUDA_ERROR_INVALID_VALUE"},
                                                {2, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                {100, "CUDA_ERROR_NO_DEVICE"},
                                                {101, "CUDA_ERROR_INVALID_DEVICE"},
                                                {200, "CUDA_ERROR_INVALID_IMAGE"},
                                                {201, "CUDA_ERROR_INVALID_CONTEXT"},
                                                {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
                                                {214, "CUDA_ERROR_ECC_UNCORRECTABLE"},
                                                {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
                                                {400, "CUDA_ERROR_INVALID_HANDLE"},
                                                {500, "CUDA_ERROR_NOT_FOUND"},
                                                {600, "CUDA_ERROR_NOT_READY"},
                                                {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                                                {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
                                                {716, "CUDA_ERROR_MISALIGNED_ADDRESS"},
                                                {719, "CUDA_ERROR_LAUNCH_FAILED"},
                                                {801, "CUDA_ERROR_NOT_SUPPORTED"},
                                                {802, "CUDA_ERROR_SYSTEM_NOT_READY"},
                                                {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
                                                {903, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED"}};
  auto it = names.find(e);
  *name = it == names.end() ? nullptr : it->second;
  return it == names.end() ? INVALID_VALUE : OK;
}
CUresult cuGetErrorString(CUresult e, const char** text) {
  if ((e == ILLEGAL_ADDRESS || e == MISALIGNED_ADDRESS || e == LAUNCH_FAILED) &&
      !last_report.empty()) {
    *text = last_report.c_str();
    return OK;
  }
  static const std::map<int, const char*> texts{
      {1, "invalid argument"},          {2, "out of memory"},
      {100, "no device"},               {101, "invalid device ordinal"},
      {200, "kernel image is invalid"}, {201, "invalid device context"},
      {214, "uncorrectable ECC error"}, {400, "invalid resource handle"},
      {500, "named symbol not found"},  {719, "unspecified launch failure"},
      {802, "system not yet initialized"}};
  auto it = texts.find(e);
  *text = it == texts.end() ? nullptr : it->second;
  return it == texts.end() ? INVALID_VALUE : OK;
}
CUresult cuInit(unsigned) {
  Call call;
  if (CUresult f = fault("init")) return f;
  return config.devices ? OK : NO_DEVICE;
}
CUresult cuDriverGetVersion(int* v) {
  Call call;
  *v = config.driver_version;
  return OK;
}
CUresult cuDeviceGetCount(int* n) {
  Call call;
  *n = config.devices;
  return OK;
}
CUresult cuDeviceGet(int* d, int i) {
  Call call;
  if (!device_at(i)) return INVALID_DEVICE;
  *d = i;
  return OK;
}
CUresult cuDeviceGetName(char* s, int n, int i) {
  return with_device(i, [&](Device&) {
    std::snprintf(s, size_t(n), "emulated GPU");
    return OK;
  });
}
CUresult cuDeviceGetUuid(char* u, int i) {
  return with_device(i, [&](Device&) {
    std::memcpy(u, "cuemu-device-000", 16);
    u[15] = char('0' + i % 10);
    return OK;
  });
}
CUresult cuDeviceTotalMem_v2(size_t* n, int i) {
  return with_device(i, [&](Device&) {
    *n = config.memory;
    return OK;
  });
}
CUresult cuDeviceComputeCapability(int* a, int* b, int i) {
  return with_device(i, [&](Device&) {
    *a = config.capability / 10;
    *b = config.capability % 10;
    return OK;
  });
}
CUresult cuDeviceGetAttribute(int* v, int a, int i) {
  if (a >= kCounters) {  // also of a lost device
    Call call;
    Device* d = device_at(i);
    if (!d) return INVALID_DEVICE;
    *v = counter(*d, a - kCounters);
    return OK;
  }
  return with_device(i, [&](Device&) {
    *v = attribute(a);
    return OK;
  });
}

CUresult cuDevicePrimaryCtxRetain(void** c, int i) {
  return with_device(i, [&](Device& d) {
    d.retained++;
    *c = &d;
    return OK;
  });
}
CUresult cuDevicePrimaryCtxRelease_v2(int i) {
  return with_device(i, [&](Device& d) {
    if (!d.retained) return INVALID_CONTEXT;
    if (--d.retained == 0) {
      d.counters.leaked += unsigned(live(d));
      drop(d);
    }
    return OK;
  });
}
CUresult cuDevicePrimaryCtxReset_v2(int i) {
  return with_device(i, [&](Device& d) {
    drop(d);
    return OK;
  });
}
CUresult cuDevicePrimaryCtxSetFlags_v2(int i, unsigned) {
  return with_device(i, [](Device&) { return OK; });
}
CUresult cuDevicePrimaryCtxGetState(int i, unsigned* f, int* active) {
  return with_device(i, [&](Device& d) {
    *f = 0;
    *active = d.retained > 0;
    return OK;
  });
}
CUresult cuCtxSetCurrent(void* c) {
  Call call;
  auto* d = static_cast<Device*>(c);
  if (d && d->lost) return d->lost;
  if (d && !d->retained) return INVALID_CONTEXT;
  current_context = d;
  return OK;
}
CUresult cuCtxPushCurrent_v2(void* c) { return cuCtxSetCurrent(c); }
CUresult cuCtxGetCurrent(void** c) {
  *c = current_context;
  return OK;
}
CUresult cuCtxPopCurrent_v2(void** c) {
  if (c) *c = current_context;
  current_context = nullptr;
  return OK;
}
CUresult cuCtxGetDevice(int* i) {
  return with_context([&](Device& d) {
    *i = d.index;
    return OK;
  });
}
CUresult cuCtxGetApiVersion(void*, unsigned* v) {
  *v = 3020;
  return OK;
}
CUresult cuCtxGetStreamPriorityRange(int* lo, int* hi) {
  *lo = 0;
  *hi = -5;
  return OK;
}
CUresult cuCtxSetLimit(int, size_t) { return OK; }
CUresult cuCtxGetLimit(size_t* v, int) {
  *v = 0;
  return OK;
}
CUresult cuCtxSynchronize() {
  return with_context([](Device& d) {
    if (capture_forbids(d)) return CAPTURE_UNSUPPORTED;
    if (CUresult f = fault("sync")) return is_lost(f) ? d.lost = f : f;
    return drain_all(d, true);
  });
}
CUresult cuProfilerStart() { return OK; }
CUresult cuProfilerStop() { return OK; }
}
#pragma GCC visibility pop
