// Fresh values for outputs that nobody named.
#include "ir/complete_outputs.h"

namespace onnxrun::ir {

void complete_outputs(Graph& graph, const Signature& signature, Node& node) {
  const std::vector<Parameter>& parameters = signature.outputs;
  size_t always = 0;  // outputs up to the last required one
  for (size_t i = 0; i < parameters.size(); ++i)
    if (!parameters[i].optional && !parameters[i].variadic) always = i + 1;
  if (node.outputs.size() < always) node.outputs.resize(always, kNone);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Parameter* parameter = Signature::at(parameters, i);
    if (node.outputs[i] != kNone || parameter == nullptr || parameter->optional) continue;
    node.outputs[i] = graph.add_value("");
  }
  while (!node.outputs.empty() && node.outputs.back() == kNone) node.outputs.pop_back();
}

}  // namespace onnxrun::ir
