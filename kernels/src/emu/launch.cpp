// SPDX-License-Identifier: Apache-2.0
// Runs grids: OS threads take blocks one after the other. Also registration and statistics.
#include <link.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "fibers.h"

namespace cuemu {
Config config;
bool checking = false;

Registration& registering() {
  thread_local Registration r;
  return r;
}

namespace {
struct Pool {
  std::mutex mu;
  std::condition_variable go, done;
  std::vector<std::thread> threads;
  std::vector<Worker*> workers;
  uint64_t ticket = 0, launch_id = 0;
  unsigned active = 0;
  const Kernel* k = nullptr;
  dim3 grid, block;
  unsigned smem = 0;
  void** params = nullptr;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failed{false};

  void loop(Worker* w, unsigned index, uint64_t seen) {
    me = w;
    use_signal_stack();
    w->smem = static_cast<unsigned char*>(aligned_alloc(1024, kMaxSmem + 1024));
    for (;;) {
      std::unique_lock<std::mutex> l(mu);
      go.wait(l, [&] { return ticket != seen; });
      seen = ticket;
      l.unlock();
      if (index < active) {
        w->kernel = k;
        w->params = params;
        const uint64_t n = uint64_t(grid.x) * grid.y * grid.z;
        for (uint64_t b; !failed.load() && (b = next.fetch_add(1)) < n;) {
          // Blocks too may run in any order: reverse turns the grid round.
          uint64_t q = config.order == Order::Reverse ? n - 1 - b : b;
          uint3 bid{unsigned(q % grid.x), unsigned(q / grid.x % grid.y),
                    unsigned(q / grid.x / grid.y)};
          run_block(*w, bid, grid, block, smem, launch_id, q);
          if (w->outcome.fault != Fault::None) failed = true;
        }
      }
      l.lock();
      if (--pending == 0) done.notify_all();
    }
  }
  unsigned pending = 0;
  Outcome run(const Kernel& kk, dim3 g, dim3 b, unsigned sm, void** pp) {
    static std::mutex one;
    std::lock_guard<std::mutex> only(one);
    std::unique_lock<std::mutex> l(mu);
    checking = kk.checked;  // the checker follows one block at a time
    unsigned want = checking         ? 1
                    : config.workers ? config.workers
                                     : std::max(1u, std::thread::hardware_concurrency());
    while (threads.size() < want) {
      auto* w = new Worker;
      workers.push_back(w);
      unsigned i = unsigned(threads.size());
      threads.emplace_back([this, w, i, t = ticket] { loop(w, i, t); });
      threads.back().detach();
    }
    k = &kk;
    grid = g;
    block = b;
    smem = sm;
    params = pp;
    active = want;
    next = 0;
    failed = false;
    if (checking) {   // numbers of checked launches alone: those before must be forgotten when they repeat
      launch_id = launch_id % 4095 + 1;
      if (launch_id == 1) forget_accesses(workers.data(), workers.size());
    }
    pending = unsigned(threads.size());
    ticket++;
    go.notify_all();
    done.wait(l, [&] { return pending == 0; });
    Outcome first;
    for (auto* w : workers) {
      if (first.fault == Fault::None) first = w->outcome;
      w->outcome = {};
      w->reported.clear();
      w->hit_lo = w->hit_hi = nullptr;
    }
    return first;
  }
};
Pool& pool() {
  static Pool* p = new Pool;
  return *p;
}
std::atomic<unsigned long long> launches{0};
}  // namespace

void find_static_shared(Kernel& k) {
  dl_iterate_phdr(
      [](dl_phdr_info* i, size_t, void* v) {
        auto& k = *static_cast<Kernel*>(v);
        bool here = false;
        for (int p = 0; p < i->dlpi_phnum; p++) {
          auto& h = i->dlpi_phdr[p];
          here |= h.p_type == PT_LOAD &&
                  reinterpret_cast<uintptr_t>(k.tramp) - (i->dlpi_addr + h.p_vaddr) < h.p_memsz;
        }
        for (int p = 0; here && p < i->dlpi_phnum; p++)
          if (i->dlpi_phdr[p].p_type == PT_TLS) {
            k.tls_module = i->dlpi_tls_modid;
            k.tls_bytes = i->dlpi_phdr[p].p_memsz;
          }
        return here ? 1 : 0;
      },
      &k);
}
Outcome launch(const Kernel& k, dim3 g, dim3 b, unsigned smem, void** params) {
  launches++;
  if (config.null_launch) return {};
  catch_illegal_addresses();
  return pool().run(k, g, b, smem, params);
}
Stats stats() {
  Stats s{};
  for (auto* w : pool().workers) {
    s.blocks += w->st.blocks;
    s.threads += w->st.threads;
    s.switches += w->st.switches;
    s.mma += w->st.mma;
    s.ldmatrix += w->st.ldmatrix;
    s.ldmatrix_conflicts += w->st.ldmatrix_conflicts;
  }
  s.launches = launches;
  return s;
}
}  // namespace cuemu
