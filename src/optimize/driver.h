// The driver: runs passes over a graph and its bodies until nothing changes, and applies their patches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "optimize/pass.h"

namespace onnxrun::optimize {

// A change that a pass made.
struct PatchNote {
  std::string pass, change;
};

// Names of passes are those of pipeline() or onnxoptimizer's.
struct OptimizeOptions {
  const ir::OpTable* table = nullptr;  // must not be null
  ir::Evaluator* evaluator = nullptr;
  ir::Capabilities* capabilities = nullptr;
  int level = kAll;
  std::vector<std::string> only{};         // run exactly these passes, whatever the level
  std::vector<std::string> disabled{};     // leave these out
  std::vector<std::string> print_after{};  // report the graph after each run of these that changed it; "all" for all
  int64_t max_patches = INT64_MAX;         // stop after so many
  int max_rounds = 16;                     // over the passes, for a graph and for each body
  int64_t max_folded_bytes = int64_t{16} << 20;
  std::vector<PatchNote>* log = nullptr;  // gets every change
  base::Deadline deadline{};              // past it optimize throws kDeadline
};

struct PassReport {
  std::string name;
  int64_t patches = 0;
  double seconds = 0;
};

// A graph, or a body, as a pass left it.
struct PrintedGraph {
  std::string pass;
  int round = 0;        // from 1
  int64_t patches = 0;  // of this run of the pass
  std::string text;
};

struct OptimizeReport {
  std::vector<PassReport> passes;     // those that ran, in their order
  std::vector<PrintedGraph> printed;  // in the order of time
  int rounds = 0;                     // most for one graph
  bool settled = true;                // false where rounds or patches ran out while passes still changed something
};

// Optimises in place. Throws kInvalidArgument for the name of a pass that does not exist, kInternal when a pass makes a wrong patch. Deterministic.
OptimizeReport optimize(ir::Graph& graph, const OptimizeOptions& options);

}  // namespace onnxrun::optimize
