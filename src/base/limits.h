// Limits that keep a file or an input from taking more than the caller allows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/machine_memory.h"

namespace onnxrun::base {

// Defaults suit files whose makers mean well: far above any real model, far below what hurts.
struct Limits {
  int64_t max_file_bytes = int64_t{2} << 30;       // protobuf's own limit
  int64_t max_nodes = 4'000'000;                   // after inlining functions, over all graphs
  int64_t max_initializers = 4'000'000;            // over all graphs
  int64_t max_nesting = 100;                       // graphs inside graphs, functions inside functions
  int64_t max_rank = 64;                           // of any tensor
  int64_t max_string_bytes = int64_t{1} << 30;     // of one name, text or element
  int64_t max_run_bytes = default_memory_limit();  // everything a model makes us allocate
  int64_t max_tensor_bytes = INT64_MAX;            // of one tensor, stored or computed
  int64_t max_loop_iterations = INT64_MAX;         // of one Loop, Scan or search
  int64_t max_plan_bytes = int64_t{64} << 20;      // cached plans of a session
};

// For files from people nobody knows: near what real models need.
Limits strict_limits();

// A limit by the name of the option that sets it.
struct NamedLimit {
  std::string_view option;
  int64_t Limits::*value;
  bool bytes;  // else a count
};
std::span<const NamedLimit> named_limits();

// Throws kLimitExceeded: `what` is more than `limit` allows, which `option` sets.
[[noreturn]] void exceed(const std::string& what, int64_t limit, std::string_view option);

}  // namespace onnxrun::base
