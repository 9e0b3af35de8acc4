// Activations as attributes of the operator that they end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace onnxrun::optimize {

// An activation by the name of ONNX's operator and its parameters (alpha and beta; of Clip its bounds).
struct FusedActivation {
  std::string name;
  std::vector<float> parameters;
};
// What `node` does to its input 0; nullopt where it is no activation, or a Clip with bounds that are not known.
std::optional<FusedActivation> activation_of(const ir::Graph& graph, const ir::Node& node);

}  // namespace onnxrun::optimize
