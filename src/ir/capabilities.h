// Capabilities: whether some provider of the session would run a node, so that fusions are only made where a kernel takes them.
#pragma once

#include "ir/graph.h"

namespace onnxrun::ir {

class Capabilities {
 public:
  virtual ~Capabilities() = default;

  // Whether a kernel accepts `node`, whose inputs and outputs are values of `graph` with inferred facts; the node need not be in the
  // graph. Must not change anything. One thread at a time.
  virtual bool accepts(const Graph& graph, const Node& node) = 0;
  // Whether the session's caller lets products of float32 round their operands (`float32_matmul_precision=medium`).
  virtual bool rounds_products() const { return false; }
};

}  // namespace onnxrun::ir
