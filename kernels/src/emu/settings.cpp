// SPDX-License-Identifier: Apache-2.0
// Settings, from the environment variable CUEMU ("order=random:7,cpasync=early") or from a test.
#include <cstdlib>

#include "driver.h"

namespace cuemu {
namespace {
bool number(const std::string& text, unsigned long* value) {
  char* end = nullptr;
  *value = std::strtoul(text.c_str(), &end, 10);
  if (end == text.c_str()) return false;
  switch (*end) {
    case 'k':
      *value <<= 10, end++;
      break;
    case 'm':
      *value <<= 20, end++;
      break;
    case 'g':
      *value <<= 30, end++;
      break;
    default:
      break;
  }
  return *end == 0;
}

bool order(const std::string& value) {
  if (value == "forward") {
    config.order = Order::Forward;
  } else if (value == "reverse") {
    config.order = Order::Reverse;
  } else if (value.compare(0, 7, "random:") == 0) {
    unsigned long seed;
    if (!number(value.substr(7), &seed)) return false;
    config.order = Order::Random;
    config.seed = unsigned(seed);
  } else {
    return false;
  }
  return true;
}

// One of two words.
bool choice(const std::string& value, const char* off, const char* on, bool* setting) {
  if (value != off && value != on) return false;
  *setting = value == on;
  return true;
}

void defaults() {
  forget_faults();
  replace_lost_devices();
  config = Config{};
  configure_from_environment();
}
}  // namespace

bool configure(const std::string& setting) {
  if (setting == "defaults") {
    defaults();
    return true;
  }
  const auto equals = setting.find('=');
  if (equals == std::string::npos) return false;
  const std::string key = setting.substr(0, equals), value = setting.substr(equals + 1);
  if (key == "order") return order(value);
  if (key == "cpasync") return choice(value, "early", "late", &config.cp_async_late);
  if (key == "wgmma") return choice(value, "early", "late", &config.wgmma_late);
  if (key == "poison") return choice(value, "0", "1", &config.poison);
  if (key == "streams") return choice(value, "eager", "lazy", &config.lazy_streams);
  if (key == "null") return choice(value, "0", "1", &config.null_launch);
  if (key == "fail") return inject(value);
  if (key == "hang") return inject_hang(value);
  if (key == "once") return inject_once(value);
  unsigned long n;
  if (!number(value, &n)) return false;
  if (key == "workers") {
    config.workers = unsigned(n);
  } else if (key == "devices") {
    config.devices = int(n);
  } else if (key == "capability") {
    config.capability = int(n);
  } else if (key == "driver") {
    config.driver_version = int(n);
  } else if (key == "memory") {
    config.memory = n;
  } else {
    return false;
  }
  return true;
}

void configure_from_environment() {
  const char* variable = std::getenv("CUEMU");
  const std::string all = variable ? variable : "";
  for (size_t from = 0; from < all.size();) {
    const size_t to = std::min(all.find(',', from), all.size());
    const std::string setting = all.substr(from, to - from);
    if (!configure(setting)) {
      std::fprintf(stderr, "cuemu: CUEMU has the unknown setting '%s'\n", setting.c_str());
      std::abort();  // a misspelt one must not be ignored
    }
    from = to + 1;
  }
}
}  // namespace cuemu
