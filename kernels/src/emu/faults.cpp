// SPDX-License-Identifier: Apache-2.0
// Faults on demand: a status at the n-th call of a kind, a launch that does not end.
#include <unistd.h>

#include <list>

#include "driver.h"

namespace cuemu {
namespace {
struct Injected {
  std::string call, name;
  unsigned long calls_left;  // the one that makes it zero fails
  CUresult status;
};
struct InjectedHang {
  std::string name;
  unsigned long launches_left;
};
std::list<Injected> faults;
std::list<InjectedHang> hangs;
std::vector<std::shared_ptr<Hang>> hanging;
std::string claim;  // a file that one of several processes removes, and only that one fails
// Never destroyed: that would wait for who waits for it, and a process with a hung device must end.
std::condition_variable& released = *new std::condition_variable;

bool claimed() {
  if (claim.empty()) return true;
  const bool mine = unlink(claim.c_str()) == 0;
  claim.clear();
  if (!mine) {
    faults.clear();
    hangs.clear();
  }
  return mine;
}

std::vector<std::string> parts(const std::string& text) {
  std::vector<std::string> all(1);
  for (char c : text) {
    if (c == ':') {
      all.emplace_back();
    } else {
      all.back() += c;
    }
  }
  return all;
}

CUresult usual_status(const std::string& call) {
  if (call == "alloc" || call == "pinned") return OUT_OF_MEMORY;
  if (call == "module") return INVALID_IMAGE;
  if (call == "init") return 802;  // CUDA_ERROR_SYSTEM_NOT_READY
  return LAUNCH_FAILED;
}

template <class Wanted>
CUresult due(const char* call, const std::string& name, Wanted wanted) {
  for (auto it = faults.begin(); it != faults.end(); ++it) {
    if (it->call != call || (it->name != "*" && it->name != name) || !wanted(it->status)) continue;
    if (--it->calls_left > 0) continue;
    const CUresult status = it->status;
    faults.erase(it);
    return claimed() ? status : OK;
  }
  return OK;
}
}  // namespace

bool is_lost(CUresult status) {
  switch (status) {
    case ECC_UNCORRECTABLE:
    case 46:   // DEVICE_UNAVAILABLE
    case 220:  // NVLINK_UNCORRECTABLE
    case 702:  // LAUNCH_TIMEOUT
    case 999:  // UNKNOWN
      return true;
    default:
      return status == ILLEGAL_ADDRESS ||
             (status >= 709 && status <= 719 && status != 711 && status != 712 && status != 713);
  }
}

bool inject(const std::string& text) {
  if (text == "none") {
    faults.clear();
    return true;
  }
  const auto p = parts(text);
  static const char* calls[] = {"launch", "graph",  "alloc",  "pinned", "copy",
                                "sync",   "module", "stream", "event",  "init"};
  if (p.size() < 3 || p.size() > 4) return false;
  if (std::find(std::begin(calls), std::end(calls), p[0]) == std::end(calls)) return false;
  const unsigned long nth = std::strtoul(p[2].c_str(), nullptr, 10);
  const CUresult status = p.size() == 4 ? std::atoi(p[3].c_str()) : usual_status(p[0]);
  if (nth < 1 || status < 1) return false;
  faults.push_back({p[0], p[1], nth, status});
  return true;
}

bool inject_hang(const std::string& text) {
  if (text == "none") {
    hangs.clear();
    for (auto& hang : hanging) hang->released = true;
    hanging.clear();
    released.notify_all();
    return true;
  }
  const auto p = parts(text);
  const unsigned long nth = p.size() == 2 ? std::strtoul(p[1].c_str(), nullptr, 10) : 0;
  if (nth < 1) return false;
  hangs.push_back({p[0], nth});
  return true;
}

bool inject_once(const std::string& path) {
  claim = path;
  return true;
}

void forget_faults() {
  inject("none");
  inject_hang("none");
  claim.clear();
}

CUresult fault(const char* call, const std::string& name) {
  return faults.empty() ? OK : due(call, name, [](CUresult) { return true; });
}
CUresult fault_at_submit(const std::string& kernel) {
  return faults.empty() ? OK : due("launch", kernel, [](CUresult s) { return !is_lost(s); });
}
CUresult fault_at_run(const std::string& kernel) {
  return faults.empty() ? OK : due("launch", kernel, [](CUresult s) { return is_lost(s); });
}

std::shared_ptr<Hang> hang_due(const std::string& kernel) {
  for (auto it = hangs.begin(); it != hangs.end(); ++it) {
    if ((it->name != "*" && it->name != kernel) || --it->launches_left > 0) continue;
    hangs.erase(it);
    if (!claimed()) return nullptr;
    auto hang = std::make_shared<Hang>();
    hanging.push_back(hang);
    return hang;
  }
  return nullptr;
}

void wait_for(const Hang& hang) {
  released.wait(*held_lock, [&] { return hang.released; });
}
}  // namespace cuemu
