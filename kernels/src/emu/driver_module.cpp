// SPDX-License-Identifier: Apache-2.0
// Modules, functions, launches; and the settings of tests, which come in as a module's bytes.
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "driver.h"

using namespace cuemu;

namespace {
constexpr int kMaxDynamicSharedBytes = 227 * 1024;
constexpr int kAttributeMaxDynamicSharedBytes = 8;

size_t elf_size(const unsigned char* p) {
  auto* e = reinterpret_cast<const Elf64_Ehdr*>(p);
  return e->e_shoff + size_t(e->e_shnum) * e->e_shentsize;
}

// The shared object stays open for good: threads may hold its thread-local memory, and reports name
// its source lines.
CUresult open_module(Device& d, void** out, const char* path) {
  registering() = {};
  if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    std::fprintf(stderr, "cuemu: %s\n", dlerror());
    return INVALID_IMAGE;
  }
  auto module = std::make_shared<Module>();
  module->device = &d;
  for (auto& kernel : registering().kernels) {
    kernel.checked = registering().checked;
    find_static_shared(kernel);
    auto function = std::make_shared<Function>(Function{kernel, &d});
    module->functions[kernel.name] = function;
    functions.add(function);
  }
  registering() = {};
  *out = modules.add(module);
  return OK;
}

// From memory, so that a process that is killed leaves no file.
CUresult open_image(Device& d, void** out, const unsigned char* image) {
  if (CUresult f = fault("module")) return f;
  if (std::memcmp(image, ELFMAG, SELFMAG) != 0 ||
      reinterpret_cast<const Elf64_Ehdr*>(image)->e_machine != EM_X86_64) {
    std::fprintf(stderr, "cuemu: the image is no CPU module (a fat binary or PTX?)\n");
    return INVALID_IMAGE;
  }
  const int file = memfd_create("cuemu", 0);
  if (file < 0) return INVALID_IMAGE;
  const size_t n = elf_size(image);
  for (size_t at = 0; at < n;) {
    const ssize_t written = write(file, image + at, n - at);
    if (written <= 0) return INVALID_IMAGE;
    at += size_t(written);
  }
  return open_module(d, out, ("/proc/self/fd/" + std::to_string(file)).c_str());
}

// The arguments of a launch, copied during the call as the driver does.
struct Arguments {
  std::shared_ptr<char> block;
  std::vector<size_t> offsets;
};
CUresult arguments(const Kernel& k, void** params, void** extra, Arguments* out) {
  size_t total = 0;
  for (size_t i = 0; i < k.size.size(); i++) {
    total = (total + k.align[i] - 1) / k.align[i] * k.align[i];
    out->offsets.push_back(total);
    total += k.size[i];
  }
  const char* packed = nullptr;
  for (void** e = extra; e && *e; e += 2) {
    if (*e == address(1)) packed = static_cast<const char*>(e[1]);
    if (*e != address(2)) continue;
    const size_t given = *static_cast<size_t*>(e[1]);
    if (given != total) {  // the driver would take more, but the launcher is wrong
      std::fprintf(stderr, "cuemu: kernel %s takes %zu bytes of arguments, but %zu were given\n",
                   k.name.c_str(), total, given);
      return INVALID_VALUE;
    }
  }
  if (!params && !packed && total) return INVALID_VALUE;
  out->block.reset(static_cast<char*>(std::aligned_alloc(64, (total + 64) / 64 * 64)), std::free);
  for (size_t i = 0; i < k.size.size(); i++)
    std::memcpy(out->block.get() + out->offsets[i],
                packed ? static_cast<const void*>(packed + out->offsets[i]) : params[i], k.size[i]);
  return OK;
}

CUresult run_kernel(Device& d, const Kernel& k, dim3 grid, dim3 block, unsigned smem,
                    const Arguments& a) {
  if (CUresult f = fault_at_run(k.name)) return f;
  std::vector<void*> pointers;
  for (size_t offset : a.offsets) pointers.push_back(a.block.get() + offset);
  d.counters.launches++;
  const Outcome outcome = launch(k, grid, block, smem, pointers.data());
  if (outcome.fault == Fault::None) return OK;
  last_report = "kernel " + k.name + ": " + outcome.report;
  std::fprintf(stderr, "cuemu: %s\n", last_report.c_str());
  switch (outcome.fault) {
    case Fault::IllegalAddress:
      return ILLEGAL_ADDRESS;
    case Fault::Misaligned:
      return MISALIGNED_ADDRESS;
    default:
      return LAUNCH_FAILED;
  }
}

bool fits(const Kernel& k, dim3 grid, dim3 block, unsigned smem) {
  return grid.x && grid.y && grid.z && block.x && block.y && block.z && grid.x <= 2147483647u &&
         grid.y <= 65535 && grid.z <= 65535 && block.z <= 64 &&
         1ull * block.x * block.y * block.z <= 1024 && int(smem) <= k.max_dynamic_smem;
}
}  // namespace

#pragma GCC visibility push(default)
extern "C" {
CUresult cuModuleLoadData(void** m, const void* image) {
  auto* bytes = static_cast<const unsigned char*>(image);
  if (!std::memcmp(bytes, "cuemu:", 6)) {  // a setting, also without a context and on a lost device
    Call call;
    return configure(reinterpret_cast<const char*>(bytes) + 6) ? OK : INVALID_VALUE;
  }
  return with_context([&](Device& d) { return open_image(d, m, bytes); });
}
CUresult cuModuleLoadDataEx(void** m, const void* image, unsigned, int*, void**) {
  return cuModuleLoadData(m, image);
}
CUresult cuModuleLoadFatBinary(void** m, const void* image) { return cuModuleLoadData(m, image); }
CUresult cuModuleLoad(void** m, const char* path) {
  return with_context([&](Device& d) { return open_module(d, m, path); });
}
CUresult cuModuleUnload(void* m) {
  return with_context([&](Device& d) -> CUresult {
    auto module = modules.find(m);
    if (!module || module->device != &d) return INVALID_HANDLE;
    if (CUresult r = drain_all(d, true)) return r;
    for (auto& entry : module->functions) functions.remove(entry.second.get());
    modules.remove(m);
    return OK;
  });
}
CUresult cuModuleGetFunction(void** f, void* m, const char* name) {
  return with_context([&](Device& d) -> CUresult {
    auto module = modules.find(m);
    if (!module || module->device != &d) return INVALID_HANDLE;
    auto it = module->functions.find(name);
    if (it == module->functions.end()) return NOT_FOUND;
    *f = it->second.get();
    return OK;
  });
}
CUresult cuFuncSetAttribute(void* f, int attribute, int value) {
  return with_context([&](Device&) -> CUresult {
    auto function = functions.find(f);
    if (!function) return INVALID_HANDLE;
    if (attribute != kAttributeMaxDynamicSharedBytes) return OK;
    if (value > kMaxDynamicSharedBytes) return INVALID_VALUE;
    function->kernel.max_dynamic_smem = value;
    return OK;
  });
}
CUresult cuFuncGetAttribute(int* value, int attribute, void* f) {
  return with_context([&](Device&) -> CUresult {
    auto function = functions.find(f);
    if (!function) return INVALID_HANDLE;
    *value = attribute == 0                                 ? 1024
             : attribute == kAttributeMaxDynamicSharedBytes ? function->kernel.max_dynamic_smem
                                                            : 0;
    return OK;
  });
}
CUresult cuFuncSetCacheConfig(void*, int) { return OK; }
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* n, void*, int, size_t) {
  *n = 1;
  return OK;
}
CUresult cuLaunchKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                        unsigned bz, unsigned smem, void* stream, void** params, void** extra) {
  return with_context([&](Device& d) -> CUresult {
    auto function = functions.find(f);
    auto s = stream_of(d, stream);
    if (!function || function->device != &d || !s) return INVALID_HANDLE;
    const Kernel& k = function->kernel;
    const dim3 grid{gx, gy, gz}, block{bx, by, bz};
    if (!fits(k, grid, block, smem)) return INVALID_VALUE;
    Arguments a;
    if (CUresult r = arguments(k, params, extra, &a)) return r;
    if (!s->capture)
      if (CUresult r = fault_at_submit(k.name)) return r;
    return submit(
        *s, [=, &d] { return run_kernel(d, function->kernel, grid, block, smem, a); },
        s->capture ? nullptr : hang_due(k.name));
  });
}
CUresult cuLaunchCooperativeKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                                   unsigned by, unsigned bz, unsigned smem, void* s, void** p) {
  if (1ull * gx * gy * gz != 1) return NOT_SUPPORTED;
  return cuLaunchKernel(f, gx, gy, gz, bx, by, bz, smem, s, p, nullptr);
}

// Statistics for programs that link this library: see cuemu::Stats.
void cuemu_stats(unsigned long long out[7]) {
  auto s = stats();
  std::memcpy(out, &s, sizeof s);
}
}
#pragma GCC visibility pop
