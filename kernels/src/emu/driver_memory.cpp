// SPDX-License-Identifier: Apache-2.0
// Memory of the device and page-locked memory of the host; copies between them.
#include <cstdlib>

#include "driver.h"

using namespace cuemu;

namespace {
// A range of device memory, or of page-locked memory, which the device can address too.
bool addressable(Device& d, CUdeviceptr p, size_t n) {
  if (heap_contains(address(p), n, d.index)) return true;
  for (auto& block : d.pinned) {
    auto from = CUdeviceptr(block.first);
    if (p >= from && p + n <= from + block.second) return true;
  }
  std::fprintf(stderr, "cuemu: [0x%llx, 0x%llx) is not memory of device %d\n", p, p + n, d.index);
  return false;
}

// Synchronous copies wait for the legacy default stream, which waits for the blocking streams.
CUresult at_once(Device& d, Op op) {
  if (capture_forbids(d)) return CAPTURE_UNSUPPORTED;
  if (CUresult r = drain_all(d, false)) return r;
  return op();
}

CUresult copy_fault() { return fault("copy"); }

// How a copy is put into the stream's work; stream given by its handle.
template <class Count>
CUresult copy(void* stream, void* to, const void* from, CUdeviceptr device_range,
              CUdeviceptr other_range, size_t n, bool wait, Count count) {
  return with_context([&](Device& d) -> CUresult {
    if (!n) return OK;
    if (!addressable(d, device_range, n)) return INVALID_VALUE;
    if (other_range && !addressable(d, other_range, n)) return INVALID_VALUE;
    if (CUresult f = copy_fault()) return is_lost(f) ? d.lost = f : f;
    Op op = [=, &d] {
      count(d.counters, n);
      std::memmove(to, from, n);
      return OK;
    };
    if (wait) return at_once(d, op);
    auto s = stream_of(d, stream);
    return s ? submit(*s, op) : INVALID_HANDLE;
  });
}
void upload(Counters& c, size_t n) {
  c.uploads++;
  c.upload_bytes += n;
}
void download(Counters& c, size_t n) {
  c.downloads++;
  c.download_bytes += n;
}
void device_copy(Counters& c, size_t) { c.copies++; }

template <class T>
CUresult fill(void* stream, CUdeviceptr to, T value, size_t n) {
  return with_context([&](Device& d) -> CUresult {
    if (!n) return OK;
    if (!addressable(d, to, n * sizeof(T))) return INVALID_VALUE;
    auto s = stream_of(d, stream);
    if (!s) return INVALID_HANDLE;
    return submit(*s, [=, &d] {
      d.counters.fills++;
      std::fill_n(static_cast<T*>(address(to)), n, value);
      return OK;
    });
  });
}

CUresult allocate(Device& d, CUdeviceptr* p, size_t n) {
  if (!n) return INVALID_VALUE;
  if (CUresult f = fault("alloc")) return is_lost(f) ? d.lost = f : f;
  void* block = heap_alloc(n, d.index);
  *p = CUdeviceptr(block);
  if (!block) return OUT_OF_MEMORY;
  d.counters.allocations++;
  return OK;
}
}  // namespace

#pragma GCC visibility push(default)
extern "C" {
CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  return with_context([&](Device& d) {
    *total = config.memory;
    *free = config.memory - std::min(config.memory, heap_used(d.index));
    return OK;
  });
}
CUresult cuMemAlloc_v2(CUdeviceptr* p, size_t n) {
  return with_context(
      [&](Device& d) { return capture_forbids(d) ? CAPTURE_UNSUPPORTED : allocate(d, p, n); });
}
CUresult cuMemFree_v2(CUdeviceptr p) {
  return with_context([&](Device& d) -> CUresult {
    if (!p) return OK;
    if (capture_forbids(d)) return CAPTURE_UNSUPPORTED;
    if (CUresult r = drain_all(d, true)) return r;
    return heap_free(address(p), d.index) ? OK : INVALID_VALUE;
  });
}
CUresult cuMemAllocAsync(CUdeviceptr* p, size_t n, void* stream) {
  return with_context([&](Device& d) -> CUresult {
    auto s = stream_of(d, stream);
    if (!s) return INVALID_HANDLE;
    return s->capture ? NOT_SUPPORTED : allocate(d, p, n);
  });
}
CUresult cuMemFreeAsync(CUdeviceptr p, void* stream) {
  return with_context([&](Device& d) -> CUresult {
    auto s = stream_of(d, stream);
    if (!s) return INVALID_HANDLE;
    return submit(*s, [=, &d] { return heap_free(address(p), d.index) ? OK : INVALID_VALUE; });
  });
}
CUresult cuMemHostAlloc(void** p, size_t n, unsigned) {
  return with_context([&](Device& d) -> CUresult {
    if (!n) return INVALID_VALUE;
    if (CUresult f = fault("pinned")) return is_lost(f) ? d.lost = f : f;
    *p = std::aligned_alloc(4096, (n + 4095) / 4096 * 4096);
    if (!*p) return OUT_OF_MEMORY;
    if (config.poison) std::memset(*p, 0xff, n);
    d.pinned[*p] = n;
    d.counters.allocations++;
    return OK;
  });
}
CUresult cuMemAllocHost_v2(void** p, size_t n) { return cuMemHostAlloc(p, n, 0); }
CUresult cuMemFreeHost(void* p) {
  return with_context([&](Device& d) -> CUresult {
    if (CUresult r = drain_all(d, true)) return r;
    if (!d.pinned.erase(p)) return INVALID_VALUE;
    std::free(p);
    return OK;
  });
}
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* d, void* p, unsigned) {
  *d = CUdeviceptr(p);
  return OK;
}
CUresult cuMemHostRegister_v2(void*, size_t, unsigned) { return OK; }
CUresult cuMemHostUnregister(void*) { return OK; }

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t n) {
  return copy(nullptr, address(to), from, to, 0, n, true, upload);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t n) {
  return copy(nullptr, to, address(from), from, 0, n, true, download);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t n) {
  return copy(nullptr, address(to), address(from), to, from, n, false, device_copy);
}
CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t n) {
  return cuMemcpyDtoD_v2(to, from, n);
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t n, void* stream) {
  return copy(stream, address(to), from, to, 0, n, false, upload);
}
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t n, void* stream) {
  return copy(stream, to, address(from), from, 0, n, false, download);
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t n, void* stream) {
  return copy(stream, address(to), address(from), to, from, n, false, device_copy);
}
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t n, void* stream) {
  return cuMemcpyDtoDAsync_v2(to, from, n, stream);
}
CUresult cuMemsetD8_v2(CUdeviceptr p, unsigned char v, size_t n) { return fill(nullptr, p, v, n); }
CUresult cuMemsetD16_v2(CUdeviceptr p, unsigned short v, size_t n) {
  return fill(nullptr, p, v, n);
}
CUresult cuMemsetD32_v2(CUdeviceptr p, unsigned v, size_t n) { return fill(nullptr, p, v, n); }
CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char v, size_t n, void* s) {
  return fill(s, p, v, n);
}
CUresult cuMemsetD16Async(CUdeviceptr p, unsigned short v, size_t n, void* s) {
  return fill(s, p, v, n);
}
CUresult cuMemsetD32Async(CUdeviceptr p, unsigned v, size_t n, void* s) { return fill(s, p, v, n); }
}
#pragma GCC visibility pop
