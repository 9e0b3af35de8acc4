// Observer: what a caller may watch during a run - intermediate values and the time of each step.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/value.h"

namespace onnxrun::run {

// One executed step.
struct ProfileEvent {
  std::string node;  // name, or that of its first output
  std::string op;
  std::string provider;
  std::string kernel;
  int64_t begin_ns = 0;  // steady clock, from the beginning of the run
  int64_t end_ns = 0;
  int depth = 0;  // graphs around it: 0 in the main graph
  std::vector<std::string> origin;
};

struct Observer {
  // Values to hand over right after they are computed, by name, in whichever graph they are; the value is a copy of the tap's own.
  std::unordered_set<std::string> taps;
  bool tap_all = false;
  std::function<void(const std::string& name, base::Value value)> on_tap;

  bool profile = false;
  std::vector<ProfileEvent> events;  // filled when `profile`
  int64_t origin_ns = 0;

  bool wants(const std::string& name) const { return tap_all || taps.count(name) != 0; }
  bool tapping() const { return on_tap && (tap_all || !taps.empty()); }
};

}  // namespace onnxrun::run
