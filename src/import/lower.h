// From canonical nodes to those of given operator set versions, for writing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::import {

struct LowerOptions {
  const ir::OpTable* table = nullptr;
  std::map<std::string, int64_t> opsets;  // by domain
  bool decompose = false;                 // operators that an opset cannot say become what they stand for
  bool standard_only = false;             // so do those that ONNX does not define
};

// Why a graph cannot be written at the opsets wanted.
struct Obstacle {
  std::string node, why, domain;
  int64_t next_opset = 0;  // of the domain: the next at which the operator is another; 0: none
};

// Rewrites the graph and its bodies, with nodes added in the order in which they are to be written. After an obstacle the graph is good for nothing.
std::optional<Obstacle> lower_graph(ir::Graph& graph, const LowerOptions& options);

}  // namespace onnxrun::import
