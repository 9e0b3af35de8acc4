// Observer: what a caller may watch during a run - intermediate values and the time of each step.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/value.h"
#include "ir/graph.h"

namespace onnxrun::run {

inline int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// One executed step, or several that a device was given as one ("Graph"). Points into the session's program and its providers, which outlive it.
struct ProfileEvent {
  const ir::Node* source = nullptr;  // what it computed; null for copies and launches
  const ir::Node* last = nullptr;    // of a launch: the last node of those that `node` begins
  std::string_view node;             // name, or that of its first output
  const char* provider = "";
  const char* kernel = "";
  int64_t begin_ns = 0;  // steady clock, from the beginning of the run
  int64_t end_ns = 0;
  int depth = 0;  // graphs around it: 0 in the main graph
  // Shapes are those of the run; nullopt where absent or no tensor.
  std::vector<std::optional<base::Dims>> inputs, outputs;
  int64_t bytes = 0;         // of all inputs and outputs
  int64_t live_bytes = 0;    // of computed values that are still needed after it
  std::string not_recorded;  // of a provider that records: why the step was given to it by itself

  // The operator's full name, "Copy" or "Graph".
  std::string op() const;
  // `node`, of a launch with that of its last node.
  std::string label() const;
};

struct Observer {
  // Values to hand over right after they are computed, by name, in whichever graph they are; the value is a copy of the tap's own.
  std::unordered_set<std::string> taps;
  bool tap_all = false;
  std::function<void(const std::string& name, base::Value value)> on_tap;

  static constexpr size_t kMostEvents = 1'000'000;
  bool profile = false;
  std::vector<ProfileEvent> events;  // filled when `profile`: the first kMostEvents of a run
  int64_t left_out = 0;              // events beyond
  int64_t origin_ns = 0;
  int64_t live_bytes = 0;  // now

  bool wants(const std::string& name) const { return tap_all || taps.count(name) != 0; }
  bool tapping() const { return on_tap && (tap_all || !taps.empty()); }
  void note(ProfileEvent event);
};

}  // namespace onnxrun::run
