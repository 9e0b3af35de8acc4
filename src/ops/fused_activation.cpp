// The activation that a fused operator of ONNX Runtime ends with.
#include "ops/fused_activation.h"

#include "ops/emitter.h"

namespace onnxrun::ops {

FusedActivation FusedActivation::of_convolution(const ir::Attributes& attributes) {
  FusedActivation result;
  result.kind = attributes.get_string("activation", "");
  const std::vector<float> values = attributes.get_floats("activation_params");
  if (!values.empty()) result.alpha = values[0];
  if (values.size() > 1) result.beta = values[1];
  return result;
}

FusedActivation FusedActivation::of_product(const ir::Attributes& attributes) {
  FusedActivation result;
  result.kind = attributes.get_string("activation", "");
  const auto read = [&](const char* name, std::optional<float>& to) {
    if (attributes.has(name)) to = attributes.get_float(name, 0);
  };
  read("activation_alpha", result.alpha);
  read("activation_beta", result.beta);
  read("activation_gamma", result.gamma);
  return result;
}

void FusedActivation::finish(ir::Expansion& e, ir::ValueId x) const { e.bind(0, emit(e, x)); }

ir::ValueId FusedActivation::emit(ir::Expansion& e, ir::ValueId x) const {
  if (kind.empty()) return x;
  Emitter emit(e);
  if (kind == "Clip")
    return emit.op("Clip", {x, alpha ? emit.like(*alpha, x) : ir::kNone, beta ? emit.like(*beta, x) : ir::kNone});
  // The parameters each operator has.
  struct Known {
    const char* name;
    const char* parameters;
  };
  constexpr Known kKnown[] = {{"Relu", ""},          {"Tanh", ""},       {"Sigmoid", ""},   {"Softplus", ""},
                              {"Softsign", ""},      {"LeakyRelu", "a"}, {"Elu", "a"},      {"ThresholdedRelu", "a"},
                              {"HardSigmoid", "ab"}, {"Selu", "ag"},     {"HardSwish", ""}, {"Gelu", ""},
                              {"Swish", "a"},        {"Mish", ""}};
  for (const Known& known : kKnown) {
    if (kind != known.name) continue;
    ir::Attributes attributes;
    const std::string_view parameters = known.parameters;
    if (alpha && parameters.find('a') != parameters.npos) attributes.set("alpha", *alpha);
    if (beta && parameters.find('b') != parameters.npos) attributes.set("beta", *beta);
    if (gamma && parameters.find('g') != parameters.npos) attributes.set("gamma", *gamma);
    return e.emit(kind, {x}, std::move(attributes));
  }
  base::fail(base::Code::kUnsupported, "the activation '{}' of {} is unknown", kind, e.source().op->full_name());
}

void drop_fused_activation(ir::Attributes& attributes) {
  for (const char* name : {"activation", "activation_params", "activation_alpha", "activation_beta", "activation_gamma",
                           "activation_axis"})
    attributes.erase(name);
}

}  // namespace onnxrun::ops
