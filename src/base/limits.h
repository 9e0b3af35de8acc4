// Limits that keep a file or an input from taking more than the caller allows.
#pragma once

#include <cstdint>

#include "base/machine_memory.h"

namespace onnxrun::base {

// Defaults suit trusted and untrusted files alike: far above any real model, far below what hurts.
struct Limits {
  int64_t max_file_bytes = int64_t{2} << 30;       // protobuf's own limit
  int64_t max_nodes = 4'000'000;                   // after inlining functions, over all graphs
  int64_t max_nesting = 100;                       // graphs inside graphs, functions inside functions
  int64_t max_rank = 64;                           // of any tensor
  int64_t max_run_bytes = default_memory_limit();  // everything a model makes us allocate
  int64_t max_loop_iterations = INT64_MAX;         // of one Loop or Scan
  int64_t max_plan_bytes = int64_t{64} << 20;      // cached plans of a session
};

}  // namespace onnxrun::base
