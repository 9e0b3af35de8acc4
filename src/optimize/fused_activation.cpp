// Reading activations.
#include "optimize/fused_activation.h"

#include <limits>

#include "ir/op.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

std::optional<FusedActivation> activation_of(const ir::Graph& graph, const ir::Node& node) {
  FusedActivation result{node.op->name, {}};
  const auto read = [&](const char* name, float fallback) {
    result.parameters.push_back(node.attributes.get_float(name, fallback));
  };
  if (is(node, "LeakyRelu")) {
    read("alpha", 0.01f);
  } else if (is(node, "Elu") || is(node, "Swish")) {
    read("alpha", 1);
  } else if (is(node, "HardSigmoid")) {
    read("alpha", 0.2f);
    read("beta", 0.5f);
  } else if (is(node, "Clip")) {
    constexpr float kLargest = std::numeric_limits<float>::infinity();
    for (size_t i = 1; i <= 2; ++i) {
      const auto bound = number(graph, input(node, i));
      if (!bound && input(node, i) != ir::kNone) return std::nullopt;
      result.parameters.push_back(bound ? static_cast<float>(*bound) : i == 1 ? -kLargest : kLargest);
    }
  } else if (is(node, "Gelu")) {
    if (node.attributes.get_string("approximate", "none") != "none") return std::nullopt;
  } else if (!is(node, "Relu") && !is(node, "Sigmoid") && !is(node, "HardSwish") && !is(node, "Mish") &&
             !is(node, "Tanh")) {
    return std::nullopt;
  }
  return result;
}

}  // namespace onnxrun::optimize
