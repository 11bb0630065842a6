// SPDX-License-Identifier: Apache-2.0
// A libcuda.so.1 that runs kernels compiled for the CPU: the part of the CUDA driver API that JCuda
// and Everwatch use. A "module" is a shared object built from the same .cu files with cuemu.h; its
// bytes go through cuModuleLoadData just as a fatbin does on a GPU.
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "cuemu_runtime.h"

using cuemu::config;
typedef int CUresult;
typedef unsigned long long CUdeviceptr;
constexpr CUresult
  OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101,
  INVALID_IMAGE = 200, INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600,
  LAUNCH_FAILED = 719, NOT_SUPPORTED = 801, CAPTURE_UNSUPPORTED = 900;
namespace {
using Op = std::function<CUresult()>;
struct Graph { std::vector<Op> ops; };
struct Stream { std::deque<Op> queue; std::shared_ptr<Graph> capture; bool non_blocking = false; };
struct Event { Stream* stream = nullptr; std::shared_ptr<Graph> capture; unsigned long long recorded = 0, done = 0; double at = 0; };
struct Func { cuemu::Kernel k; };
struct Module { void* so = nullptr; std::map<std::string, std::unique_ptr<Func>> funcs; };
struct Context { int flags = 0; };

std::recursive_mutex mu;                 // one lock for the whole driver: this is a test device
Stream null_stream;
std::map<Stream*, std::unique_ptr<Stream>> streams;
Context primary;
int primary_refs = 0;
thread_local Context* current = nullptr;
CUresult sticky = OK;                    // as on a GPU, a failed launch spoils the context
struct TempFiles { std::vector<std::string> paths; ~TempFiles() { for (auto& p : paths) unlink(p.c_str()); } } temp_files;   // kept for addr2line
#define LOCK std::lock_guard<std::recursive_mutex> lock(mu)
#define NEED_CTX do { if (!current) return INVALID_CONTEXT; if (sticky) return sticky; } while (0)

Stream& str(void* s) { return s ? *static_cast<Stream*>(s) : null_stream; }
CUresult step(Stream& s) {
  Op op = std::move(s.queue.front());
  s.queue.pop_front();
  CUresult r = op();
  if (r) sticky = r;
  return sticky;
}
CUresult drain(Stream& s) { while (!s.queue.empty()) if (CUresult r = step(s)) { s.queue.clear(); return r; } return sticky; }
CUresult drain_all(bool also_non_blocking) {
  drain(null_stream);
  for (auto& e : streams) if (also_non_blocking || !e.second->non_blocking) drain(*e.second);
  return sticky;
}
CUresult submit(void* stream, Op op) {
  Stream& s = str(stream);
  if (s.capture) { s.capture->ops.push_back(std::move(op)); return OK; }
  if (config.lazy_streams) { s.queue.push_back(std::move(op)); return OK; }
  CUresult r = op();
  if (r) sticky = r;
  return r;
}
bool capturing() {
  if (null_stream.capture) return true;
  for (auto& e : streams) if (e.second->capture) return true;
  return false;
}
// Synchronous copies wait for the legacy default stream, which waits for the blocking streams.
CUresult sync_op(Op op) { if (capturing()) return CAPTURE_UNSUPPORTED; if (CUresult r = drain_all(false)) return r; return op(); }
double now_ms() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
Op copy_op(void* d, const void* s, size_t n) { return [=] { std::memmove(d, s, n); return OK; }; }
template <class T> Op set_op(CUdeviceptr d, T v, size_t n) { return [=] { std::fill_n(reinterpret_cast<T*>(d), n, v); return OK; }; }

size_t elf_size(const unsigned char* p) {
  auto* e = reinterpret_cast<const Elf64_Ehdr*>(p);
  return e->e_shoff + size_t(e->e_shnum) * e->e_shentsize;
}
CUresult open_module(Module** out, const char* path, bool ours) {
  cuemu::registering().clear();
  void* so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!so) { std::fprintf(stderr, "cuemu: %s\n", dlerror()); return INVALID_IMAGE; }
  auto* m = new Module;
  m->so = so;
  if (ours) temp_files.paths.push_back(path);
  for (auto& k : cuemu::registering()) { cuemu::find_static_shared(k); m->funcs[k.name].reset(new Func{k}); }
  cuemu::registering().clear();
  *out = m;
  return OK;
}
}  // namespace

#pragma GCC visibility push(default)
extern "C" {
// ---- errors, devices, contexts ---------------------------------------------------------------------------
CUresult cuGetErrorName(CUresult e, const char** s) {
  static const std::map<int, const char*> n{{0, "CUDA_SUCCESS"}, {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"},
    {100, "CUDA_ERROR_NO_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"}, {201, "CUDA_ERROR_INVALID_CONTEXT"}, {400, "CUDA_ERROR_INVALID_HANDLE"},
    {500, "CUDA_ERROR_NOT_FOUND"}, {600, "CUDA_ERROR_NOT_READY"}, {719, "CUDA_ERROR_LAUNCH_FAILED"}, {801, "CUDA_ERROR_NOT_SUPPORTED"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
  auto i = n.find(e);
  *s = i == n.end() ? "CUDA_ERROR_UNKNOWN" : i->second;
  return OK;
}
CUresult cuGetErrorString(CUresult e, const char** s) { return cuGetErrorName(e, s); }
CUresult cuInit(unsigned) { return OK; }
CUresult cuDriverGetVersion(int* v) { *v = 13000; return OK; }
CUresult cuDeviceGetCount(int* n) { *n = 1; return OK; }
CUresult cuDeviceGet(int* d, int i) { if (i) return INVALID_DEVICE; *d = 0; return OK; }
CUresult cuDeviceGetName(char* s, int n, int) { std::snprintf(s, size_t(n), "cuemu CPU emulation"); return OK; }
CUresult cuDeviceGetUuid(char* u, int) { std::memcpy(u, "cuemu-device-000", 16); return OK; }
CUresult cuDeviceTotalMem_v2(size_t* n, int) { *n = cuemu::heap_total(); return OK; }
CUresult cuDeviceComputeCapability(int* a, int* b, int) { *a = 8; *b = 0; return OK; }
CUresult cuDeviceGetAttribute(int* v, int a, int) {
  static const std::map<int, int> t{{1, 1024}, {2, 1024}, {3, 1024}, {4, 64}, {5, 2147483647}, {6, 65535}, {7, 65535}, {8, 49152}, {9, 65536},
    {10, 32}, {12, 65536}, {13, 1000000}, {15, 1}, {16, 2}, {18, 0}, {19, 1}, {20, 0}, {31, 1}, {35, 0}, {38, 0}, {39, 2048}, {40, 1}, {41, 1},
    {75, 8}, {76, 0}, {81, 233472}, {82, 65536}, {83, 1}, {95, 0}, {97, 232448}, {115, 1}};
  auto i = t.find(a);
  *v = i == t.end() ? 0 : i->second;
  return OK;
}
CUresult cuDevicePrimaryCtxRetain(void** c, int) { LOCK; primary_refs++; *c = &primary; return OK; }
CUresult cuDevicePrimaryCtxRelease_v2(int) { LOCK; if (primary_refs) primary_refs--; return OK; }
CUresult cuDevicePrimaryCtxReset_v2(int) { LOCK; sticky = OK; return OK; }
CUresult cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return OK; }
CUresult cuDevicePrimaryCtxGetState(int, unsigned* f, int* a) { *f = 0; *a = primary_refs > 0; return OK; }
CUresult cuCtxCreate_v2(void** c, unsigned f, int) { auto* x = new Context; x->flags = int(f); current = x; *c = x; return OK; }
CUresult cuCtxDestroy_v2(void* c) { LOCK; if (current == c) current = nullptr; sticky = OK; if (c != &primary) delete static_cast<Context*>(c); return OK; }
CUresult cuCtxSetCurrent(void* c) { current = static_cast<Context*>(c); return OK; }
CUresult cuCtxGetCurrent(void** c) { *c = current; return OK; }
CUresult cuCtxPushCurrent_v2(void* c) { current = static_cast<Context*>(c); return OK; }
CUresult cuCtxPopCurrent_v2(void** c) { if (c) *c = current; current = nullptr; return OK; }
CUresult cuCtxGetDevice(int* d) { *d = 0; return OK; }
CUresult cuCtxGetApiVersion(void*, unsigned* v) { *v = 3020; return OK; }
CUresult cuCtxGetStreamPriorityRange(int* lo, int* hi) { *lo = 0; *hi = -5; return OK; }
CUresult cuCtxSetLimit(int, size_t) { return OK; }
CUresult cuCtxGetLimit(size_t* v, int) { *v = 0; return OK; }
CUresult cuCtxSynchronize() { LOCK; NEED_CTX; if (capturing()) return CAPTURE_UNSUPPORTED; return drain_all(true); }

// ---- memory ----------------------------------------------------------------------------------------------
CUresult cuMemGetInfo_v2(size_t* f, size_t* t) { *t = cuemu::heap_total(); *f = *t - cuemu::heap_used(); return OK; }
CUresult cuMemAlloc_v2(CUdeviceptr* p, size_t n) {
  LOCK; NEED_CTX;
  if (!n) return INVALID_VALUE;
  if (capturing()) return CAPTURE_UNSUPPORTED;
  void* q = cuemu::heap_alloc(n);
  *p = CUdeviceptr(q);
  return q ? OK : OUT_OF_MEMORY;
}
CUresult cuMemFree_v2(CUdeviceptr p) { LOCK; if (!p) return OK; drain_all(true); return cuemu::heap_free(reinterpret_cast<void*>(p)) ? OK : INVALID_VALUE; }
CUresult cuMemAllocAsync(CUdeviceptr* p, size_t n, void* s) { LOCK; NEED_CTX; if (str(s).capture) return NOT_SUPPORTED; void* q = cuemu::heap_alloc(n); *p = CUdeviceptr(q); return q ? OK : OUT_OF_MEMORY; }
CUresult cuMemFreeAsync(CUdeviceptr p, void* s) { LOCK; NEED_CTX; return submit(s, [=] { return cuemu::heap_free(reinterpret_cast<void*>(p)) ? OK : INVALID_VALUE; }); }
CUresult cuMemHostAlloc(void** p, size_t n, unsigned) { *p = std::aligned_alloc(4096, (n + 4095) / 4096 * 4096); if (!*p) return OUT_OF_MEMORY; return OK; }
CUresult cuMemAllocHost_v2(void** p, size_t n) { return cuMemHostAlloc(p, n, 0); }
CUresult cuMemFreeHost(void* p) { LOCK; drain_all(true); std::free(p); return OK; }
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* d, void* p, unsigned) { *d = CUdeviceptr(p); return OK; }
CUresult cuMemHostRegister_v2(void*, size_t, unsigned) { return OK; }
CUresult cuMemHostUnregister(void*) { return OK; }
#define P(x) reinterpret_cast<void*>(x)
CUresult cuMemcpyHtoD_v2(CUdeviceptr d, const void* s, size_t n) { LOCK; NEED_CTX; return sync_op(copy_op(P(d), s, n)); }
CUresult cuMemcpyDtoH_v2(void* d, CUdeviceptr s, size_t n) { LOCK; NEED_CTX; return sync_op(copy_op(d, P(s), n)); }
CUresult cuMemcpyDtoD_v2(CUdeviceptr d, CUdeviceptr s, size_t n) { LOCK; NEED_CTX; return submit(nullptr, copy_op(P(d), P(s), n)); }
CUresult cuMemcpy(CUdeviceptr d, CUdeviceptr s, size_t n) { return cuMemcpyHtoD_v2(d, P(s), n); }
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr d, const void* s, size_t n, void* t) { LOCK; NEED_CTX; return submit(t, copy_op(P(d), s, n)); }
CUresult cuMemcpyDtoHAsync_v2(void* d, CUdeviceptr s, size_t n, void* t) { LOCK; NEED_CTX; return submit(t, copy_op(d, P(s), n)); }
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr d, CUdeviceptr s, size_t n, void* t) { LOCK; NEED_CTX; return submit(t, copy_op(P(d), P(s), n)); }
CUresult cuMemcpyAsync(CUdeviceptr d, CUdeviceptr s, size_t n, void* t) { return cuMemcpyDtoDAsync_v2(d, s, n, t); }
CUresult cuMemsetD8_v2(CUdeviceptr d, unsigned char v, size_t n) { LOCK; NEED_CTX; return submit(nullptr, set_op(d, v, n)); }
CUresult cuMemsetD16_v2(CUdeviceptr d, unsigned short v, size_t n) { LOCK; NEED_CTX; return submit(nullptr, set_op(d, v, n)); }
CUresult cuMemsetD32_v2(CUdeviceptr d, unsigned v, size_t n) { LOCK; NEED_CTX; return submit(nullptr, set_op(d, v, n)); }
CUresult cuMemsetD8Async(CUdeviceptr d, unsigned char v, size_t n, void* s) { LOCK; NEED_CTX; return submit(s, set_op(d, v, n)); }
CUresult cuMemsetD16Async(CUdeviceptr d, unsigned short v, size_t n, void* s) { LOCK; NEED_CTX; return submit(s, set_op(d, v, n)); }
CUresult cuMemsetD32Async(CUdeviceptr d, unsigned v, size_t n, void* s) { LOCK; NEED_CTX; return submit(s, set_op(d, v, n)); }

// ---- streams and events ------------------------------------------------------------------------------------
CUresult cuStreamCreate(void** s, unsigned flags) {
  LOCK; NEED_CTX;
  auto* t = new Stream;
  t->non_blocking = flags & 1;
  streams[t].reset(t);
  *s = t;
  return OK;
}
CUresult cuStreamCreateWithPriority(void** s, unsigned flags, int) { return cuStreamCreate(s, flags); }
CUresult cuStreamDestroy_v2(void* s) { LOCK; drain(str(s)); streams.erase(static_cast<Stream*>(s)); return OK; }
CUresult cuStreamSynchronize(void* s) { LOCK; NEED_CTX; if (str(s).capture) return CAPTURE_UNSUPPORTED; return s ? drain(str(s)) : drain_all(false); }
CUresult cuStreamQuery(void* s) { LOCK; NEED_CTX; Stream& t = str(s); if (t.queue.empty()) return OK; step(t); return sticky ? sticky : NOT_READY; }
CUresult cuEventCreate(void** e, unsigned) { *e = new Event; return OK; }
CUresult cuEventDestroy_v2(void* e) { LOCK; drain_all(true); delete static_cast<Event*>(e); return OK; }
CUresult cuEventRecord(void* ev, void* s) {
  LOCK; NEED_CTX;
  auto* e = static_cast<Event*>(ev);
  e->stream = &str(s);
  e->capture = e->stream->capture;
  auto n = ++e->recorded;
  return submit(s, [=] { e->done = std::max(e->done, n); e->at = now_ms(); return OK; });
}
CUresult cuEventRecordWithFlags(void* e, void* s, unsigned) { return cuEventRecord(e, s); }
static CUresult finish_event(Event* e, unsigned long long n) { while (e->done < n && !e->stream->queue.empty()) if (CUresult r = step(*e->stream)) return r; return OK; }
CUresult cuStreamWaitEvent(void* s, void* ev, unsigned) {
  LOCK; NEED_CTX;
  auto* e = static_cast<Event*>(ev);
  if (e->capture) { str(s).capture = e->capture; return OK; }   // joins the capture; ops keep issue order
  auto n = e->recorded;
  return submit(s, [=] { return finish_event(e, n); });
}
CUresult cuEventSynchronize(void* ev) { LOCK; NEED_CTX; auto* e = static_cast<Event*>(ev); return finish_event(e, e->recorded); }
CUresult cuEventQuery(void* ev) { LOCK; NEED_CTX; auto* e = static_cast<Event*>(ev); if (e->done >= e->recorded) return OK; step(*e->stream); return NOT_READY; }
CUresult cuEventElapsedTime(float* ms, void* a, void* b) { *ms = float(static_cast<Event*>(b)->at - static_cast<Event*>(a)->at); return OK; }
CUresult cuLaunchHostFunc(void* s, void (*fn)(void*), void* u) { LOCK; NEED_CTX; return submit(s, [=] { fn(u); return OK; }); }
CUresult cuStreamAddCallback(void* s, void (*fn)(void*, CUresult, void*), void* u, unsigned) { LOCK; NEED_CTX; return submit(s, [=] { fn(s, OK, u); return OK; }); }

// ---- graphs -------------------------------------------------------------------------------------------------
struct GraphBox { std::shared_ptr<Graph> g; };
CUresult cuStreamBeginCapture_v2(void* s, int) { LOCK; NEED_CTX; if (!s || str(s).capture) return INVALID_VALUE; str(s).capture = std::make_shared<Graph>(); return OK; }
CUresult cuStreamIsCapturing(void* s, int* v) { LOCK; *v = str(s).capture ? 1 : 0; return OK; }
CUresult cuStreamEndCapture(void* s, void** g) {
  LOCK; NEED_CTX;
  auto c = str(s).capture;
  if (!c) return INVALID_VALUE;
  for (auto& e : streams) if (e.second->capture == c) e.second->capture.reset();
  *g = new GraphBox{c};
  return OK;
}
CUresult cuGraphInstantiateWithFlags(void** x, void* g, unsigned long long) { LOCK; *x = new GraphBox{static_cast<GraphBox*>(g)->g}; return OK; }
CUresult cuGraphUpload(void*, void*) { return OK; }
CUresult cuGraphLaunch(void* x, void* s) {
  LOCK; NEED_CTX;
  auto g = static_cast<GraphBox*>(x)->g;
  return submit(s, [g] { for (auto& op : g->ops) if (CUresult r = op()) return r; return OK; });
}
CUresult cuGraphGetNodes(void* g, void** nodes, size_t* n) { LOCK; if (nodes) return NOT_SUPPORTED; *n = static_cast<GraphBox*>(g)->g->ops.size(); return OK; }
CUresult cuGraphDestroy(void* g) { LOCK; delete static_cast<GraphBox*>(g); return OK; }
CUresult cuGraphExecDestroy(void* x) { LOCK; drain_all(true); delete static_cast<GraphBox*>(x); return OK; }

// ---- modules and launches -------------------------------------------------------------------------------------
CUresult cuModuleLoadData(void** m, const void* image) {
  LOCK;
  auto* p = static_cast<const unsigned char*>(image);
  if (!std::memcmp(p, "cuemu:", 6)) {                // settings, so that a test can change them in the process
    if (!cuemu::configure(reinterpret_cast<const char*>(p) + 6)) return INVALID_VALUE;
    *m = new Module;
    return OK;
  }
  NEED_CTX;
  if (std::memcmp(p, ELFMAG, SELFMAG) || reinterpret_cast<const Elf64_Ehdr*>(p)->e_machine != EM_X86_64) {
    std::fprintf(stderr, "cuemu: the image is not a CPU module (a fatbin or PTX?)\n");
    return INVALID_IMAGE;
  }
  const char* dir = std::getenv("TMPDIR");
  std::string path = std::string(dir && *dir ? dir : P_tmpdir) + "/cuemu-XXXXXX";
  int fd = mkstemp(&path[0]);
  if (fd < 0) return INVALID_IMAGE;
  size_t n = elf_size(p), at = 0;
  while (at < n) { ssize_t w = write(fd, p + at, n - at); if (w <= 0) break; at += size_t(w); }
  close(fd);
  CUresult r = at == n ? open_module(reinterpret_cast<Module**>(m), path.c_str(), true) : INVALID_IMAGE;
  if (r) unlink(path.c_str());
  return r;
}
CUresult cuModuleLoadDataEx(void** m, const void* image, unsigned, int*, void**) { return cuModuleLoadData(m, image); }
CUresult cuModuleLoadFatBinary(void** m, const void* image) { return cuModuleLoadData(m, image); }
CUresult cuModuleLoad(void** m, const char* path) { LOCK; NEED_CTX; return open_module(reinterpret_cast<Module**>(m), path, false); }
CUresult cuModuleUnload(void* mv) {
  LOCK;
  drain_all(true);
  delete static_cast<Module*>(mv);                   // the shared object stays open: its TLS may be in use
  return OK;
}
CUresult cuModuleGetFunction(void** f, void* m, const char* name) {
  LOCK;
  auto& fs = static_cast<Module*>(m)->funcs;
  auto i = fs.find(name);
  if (i == fs.end()) return NOT_FOUND;
  *f = i->second.get();
  return OK;
}
CUresult cuFuncSetAttribute(void* f, int a, int v) { LOCK; if (a == 8) { if (v > 227 * 1024) return INVALID_VALUE; static_cast<Func*>(f)->k.max_dynamic_smem = v; } return OK; }
CUresult cuFuncGetAttribute(int* v, int a, void* f) { LOCK; *v = a == 0 ? 1024 : a == 8 ? static_cast<Func*>(f)->k.max_dynamic_smem : 0; return OK; }
CUresult cuFuncSetCacheConfig(void*, int) { return OK; }
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* n, void*, int, size_t) { *n = 1; return OK; }
CUresult cuLaunchKernel(void* fv, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned smem, void* s, void** params, void** extra) {
  LOCK; NEED_CTX;
  if (!fv) return INVALID_HANDLE;
  const cuemu::Kernel& k = static_cast<Func*>(fv)->k;
  if (!gx || !gy || !gz || !bx || !by || !bz || gy > 65535 || gz > 65535 || bz > 64 || 1ull * bx * by * bz > 1024 || int(smem) > k.max_dynamic_smem) return INVALID_VALUE;
  // The driver copies the arguments during the call; so do we.
  size_t total = 0;
  for (size_t i = 0; i < k.size.size(); i++) total = (total + k.align[i] - 1) / k.align[i] * k.align[i] + k.size[i];
  std::shared_ptr<char> args(static_cast<char*>(std::aligned_alloc(64, (total + 64) / 64 * 64)), std::free);
  const char* packed = nullptr;
  if (extra)
    for (void** e = extra; *e; e += 2) {
      if (*e == P(1)) packed = static_cast<const char*>(e[1]);
      if (*e == P(2) && *static_cast<size_t*>(e[1]) < total) return INVALID_VALUE;
    }
  if (!params && !packed && !k.size.empty()) return INVALID_VALUE;
  size_t at = 0;
  std::vector<size_t> offset;
  for (size_t i = 0; i < k.size.size(); i++) {
    at = (at + k.align[i] - 1) / k.align[i] * k.align[i];
    std::memcpy(args.get() + at, packed ? packed + at : params[i], k.size[i]);
    offset.push_back(at);
    at += k.size[i];
  }
  return submit(s, [=, &k, d = std::move(offset)]() -> CUresult {
    std::vector<void*> p;
    for (size_t o : d) p.push_back(args.get() + o);
    std::string e = cuemu::launch(k, {gx, gy, gz}, {bx, by, bz}, smem, p.data());
    if (e.empty()) return OK;
    std::fprintf(stderr, "cuemu: kernel %s: %s\n", k.name.c_str(), e.c_str());
    return LAUNCH_FAILED;
  });
}
CUresult cuLaunchCooperativeKernel(void* f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned m, void* s, void** p) {
  return 1ull * gx * gy * gz == 1 ? cuLaunchKernel(f, gx, gy, gz, bx, by, bz, m, s, p, nullptr) : NOT_SUPPORTED;
}
CUresult cuProfilerStart() { return OK; }
CUresult cuProfilerStop() { return OK; }

// Statistics for tests written in C++: see cuemu::Stats.
void cuemu_stats(unsigned long long out[7]) { auto s = cuemu::stats(); std::memcpy(out, &s, sizeof s); }
}
#pragma GCC visibility pop
