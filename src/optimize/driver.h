// The driver: runs passes over a graph and its bodies until nothing changes, and applies their patches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "optimize/pass.h"

namespace onnxrun::optimize {

// A change that a pass made.
struct PatchNote {
  std::string pass, change;
};

struct OptimizeOptions {
  const ir::OpTable* table = nullptr;  // must not be null
  ir::Evaluator* evaluator = nullptr;
  ir::Capabilities* capabilities = nullptr;
  int level = kAll;
  std::vector<std::string> only;      // run exactly these passes, whatever the level
  std::vector<std::string> disabled;  // leave these out
  int64_t max_patches = INT64_MAX;    // stop after so many
  int64_t max_folded_bytes = int64_t{16} << 20;
  std::vector<PatchNote>* log = nullptr;  // gets every change
};

struct PassReport {
  std::string name;
  int64_t patches = 0;
  double seconds = 0;
};

// Optimises in place. Throws kInvalidArgument for the name of a pass that does not exist, kInternal when a pass makes a wrong patch. Deterministic.
std::vector<PassReport> optimize(ir::Graph& graph, const OptimizeOptions& options);

}  // namespace onnxrun::optimize
