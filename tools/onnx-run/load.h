// Runs of a session by one or several callers, for a time.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include "latency.h"

namespace cli {

struct LoadPlan {
  int callers = 1;
  double seconds = 5;
  int64_t runs = 0;  // at most so many in all; 0: as many as the time allows
  double rate =
      0;  // runs due a second in all, whether or not earlier ones have ended; 0: each caller's next run is due when its last one ends
  double warmup = 0;  // seconds of runs that do not count
};

// Each caller runs the session on the same inputs from a thread of its own (from this one where there is only one). At least one run is made.
// The order is that in which runs were due. The first error of any caller ends all and is thrown.
std::vector<Latency> measure(const onnxrun::Session& session, const onnxrun::NamedValues& inputs, const LoadPlan& plan);

}  // namespace cli
