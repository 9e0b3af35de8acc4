// Statistics: what a session counts about its runs and what they read and wrote, as options ask for.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "api/latency.h"
#include "api/tensor_summary.h"
#include "base/value.h"
#include "run/session.h"

namespace onnxrun::api {

enum class StatisticsLevel : uint8_t { kOff, kRuns, kTensors };

struct StatisticsOptions {
  StatisticsLevel level = StatisticsLevel::kOff;
  int64_t every = 1;                // look at tensors in each so many runs
  std::vector<std::string> values;  // intermediate values to look at
  int64_t sample = 256;             // elements kept of each tensor
};

// Thread-safe. Runs are counted without a lock.
class Statistics {
 public:
  using Named = std::vector<std::pair<std::string, base::Value>>;
  struct Watched {
    Watched(std::string of, const char* what, size_t sample) : name(std::move(of)), kind(what), summary(sample) {}
    std::string name;
    const char* kind;  // "input", "output", "value"
    TensorSummary summary;
  };

  Statistics(const StatisticsOptions& options, const run::Session& session);

  const StatisticsOptions& options() const { return options_; }
  Latency& latency() { return latency_; }
  const Latency& latency() const { return latency_; }
  const std::deque<Watched>& watched() const { return watched_; }

  // Whether this run's tensors are to be looked at; counts it.
  bool due() noexcept {
    return options_.level == StatisticsLevel::kTensors &&
           turn_.fetch_add(1, std::memory_order_relaxed) % options_.every == 0;
  }
  void look_at(const Named& values, const char* kind);
  // Adds the intermediate values to those that `observer` wants, handing it no more than it asked for itself.
  void watch(run::Observer& observer);

 private:
  Watched* find(const std::string& name, const char* kind);

  const StatisticsOptions options_;
  Latency latency_;
  std::atomic<int64_t> turn_{0};
  std::deque<Watched> watched_;
};

}  // namespace onnxrun::api
