// Evaluator: runs single nodes on known values, so that passes can fold constants without knowing any provider.
#pragma once

#include <optional>
#include <vector>

#include "ir/fact.h"
#include "ir/graph.h"

namespace onnxrun::ir {

class Evaluator {
 public:
  virtual ~Evaluator() = default;

  // Runs `node` now. `inputs[i]` is null where input i is absent; `outputs` are the inferred facts of its outputs, in order. Returns one host
  // tensor for each output of the node (an empty Tensor where an output is absent), of the dtype that is stored for
  // it; nullopt when there is no kernel for it or a limit would be passed. Errors of the operator itself are thrown. Not called for nodes with bodies or of
  // random operators. One thread at a time.
  virtual std::optional<std::vector<Tensor>> evaluate(const Node& node, const std::vector<const Tensor*>& inputs,
                                                      const std::vector<Fact>& outputs) = 0;
};

}  // namespace onnxrun::ir
