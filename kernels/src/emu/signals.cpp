// SPDX-License-Identifier: Apache-2.0
// A wild pointer in a kernel ends the launch with an illegal address, as on a GPU, not the process.
#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>


#include "fibers.h"

namespace cuemu {
std::string source_line(void* pc) {
  Dl_info d;
  if (!dladdr(pc, &d)) return "?";
  std::string file = d.dli_fname;  // a module lies in a memory file of this process
  const std::string mine = "/proc/self/";
  if (file.compare(0, mine.size(), mine) == 0)
    file = "/proc/" + std::to_string(getpid()) + "/" + file.substr(mine.size());
  char t[512];
  auto offset = long(static_cast<char*>(pc) - static_cast<char*>(d.dli_fbase));
  std::snprintf(t, sizeof t, "addr2line -s -e %s 0x%lx 2>/dev/null", file.c_str(), offset);
  std::string line;
  if (FILE* p = popen(t, "r")) {
    if (fgets(t, sizeof t, p)) line = t;
    pclose(p);
  }
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line.empty() ? "?" : line;
}

namespace {
struct sigaction before[NSIG];
thread_local struct {
  int signal;
  const void* address;
  void* pc;
} caught;

[[noreturn]] void fail_after_signal() {
  char t[256];
  if (caught.signal == SIGFPE) {
    std::snprintf(t, sizeof t, "integer division by zero at %s", source_line(caught.pc).c_str());
    cuemu_fail(t);
  }
  std::snprintf(t, sizeof t, "illegal address %p at %s", caught.address,
                source_line(caught.pc).c_str());
  me->outcome.fault = Fault::IllegalAddress;
  cuemu_fail(t);
}

void on_signal(int number, siginfo_t* info, void* context) {
#if defined(__x86_64__)
  if (cuemu_self && me) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    caught = {number, info->si_addr, reinterpret_cast<void*>(registers[REG_RIP])};
    // The fiber is abandoned, so its stack can be used from the top again, even if it overflowed.
    auto top = reinterpret_cast<uintptr_t>(self()->stack) & ~uintptr_t(15);
    registers[REG_RSP] = greg_t(top - 8);
    registers[REG_RIP] = reinterpret_cast<greg_t>(&fail_after_signal);
    return;
  }
#endif
  const struct sigaction& next = before[number];
  if (next.sa_flags & SA_SIGINFO) {
    next.sa_sigaction(number, info, context);
  } else if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN) {
    next.sa_handler(number);
  } else {
    sigaction(number, &next, nullptr);  // happens again, and ends the process
  }
}
}  // namespace

void catch_illegal_addresses() {
  // Not std::call_once: it needs libstdc++'s thread-local variables, and this library, which keeps its own in
  // static storage, could then not be loaded after another one that brought libstdc++ in (oneDNN's binding).
  static const bool caught = [] {
    struct sigaction action{};
    action.sa_sigaction = &on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER;
    for (int number : {SIGSEGV, SIGBUS, SIGFPE}) sigaction(number, &action, &before[number]);
    return true;
  }();
  (void)caught;
}

void use_signal_stack() {
  constexpr size_t bytes = 64 * 1024;
  stack_t stack{};
  stack.ss_sp = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack.ss_size = bytes;
  if (stack.ss_sp != MAP_FAILED) sigaltstack(&stack, nullptr);
}
}  // namespace cuemu
