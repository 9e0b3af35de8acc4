// Times of many runs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cli {

struct Latency {
  double begin_ms = 0;  // when the run was due, from the beginning of the measurement
  double ms = 0;        // from when it was due to its end
  int caller = 0;
};

// {"min","mean","p50",...,"max"} of at least one latency. A percentile is the smallest latency that so many per cent do not exceed.
nlohmann::ordered_json summary(const std::vector<Latency>& latencies, const std::vector<double>& percentiles);

// A line a run, with a heading.
std::string csv(const std::vector<Latency>& latencies);

}  // namespace cli
