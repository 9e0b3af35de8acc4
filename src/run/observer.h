// Observer: what a caller may watch during a run - intermediate values and the time of each step.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/value.h"
#include "ir/graph.h"

namespace onnxrun::run {

inline int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// One executed step, or several that a device was given as one ("Graph").
struct ProfileEvent {
  std::string node;  // name, or that of its first output
  std::string op;
  std::string provider;
  std::string kernel;
  int64_t begin_ns = 0;  // steady clock, from the beginning of the run
  int64_t end_ns = 0;
  int depth = 0;  // graphs around it: 0 in the main graph
  std::vector<std::string> origin;
  // What it computed: of the session's program, null for copies. Shapes are those of the run; nullopt where absent or no tensor.
  const ir::Node* source = nullptr;
  std::vector<std::optional<base::Dims>> inputs, outputs;
  int64_t bytes = 0;         // of all inputs and outputs
  int64_t live_bytes = 0;    // of computed values that are still needed after it
  std::string not_recorded;  // of a provider that records: why the step was given to it by itself
};

struct Observer {
  // Values to hand over right after they are computed, by name, in whichever graph they are; the value is a copy of the tap's own.
  std::unordered_set<std::string> taps;
  bool tap_all = false;
  std::function<void(const std::string& name, base::Value value)> on_tap;

  bool profile = false;
  std::vector<ProfileEvent> events;  // filled when `profile`
  int64_t origin_ns = 0;
  int64_t live_bytes = 0;  // now

  bool wants(const std::string& name) const { return tap_all || taps.count(name) != 0; }
  bool tapping() const { return on_tap && (tap_all || !taps.empty()); }
};

}  // namespace onnxrun::run
