// What the nodes of a loaded model compute, as far as inference tells the sizes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace onnxrun::import {

struct ComputedValues {
  struct Value {
    std::string name, node, type;
    int64_t bytes = 0;  // INT64_MAX: as many or more
  };
  std::vector<Value> largest;  // three at most, the largest first
  int64_t unknown = 0;         // values whose sizes depend on inputs or data
};

// Of the graph and the bodies in it.
ComputedValues computed_values(const ir::Graph& graph);

}  // namespace onnxrun::import
