// The attributes of the fused elementwise operator: a short program of steps, each of one or two operands.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace onnxrun::ops::attributes {

inline constexpr size_t kMaxElementwiseSteps = 8, kMaxElementwiseInputs = 8;

// What a step may compute; `alpha` and `beta` name the attributes (of Clip: the limits) that a step's two numbers are.
struct ElementwiseOperator {
  std::string_view name;  // "GeluTanh": Gelu with approximate = "tanh"
  int operands;
  std::string_view alpha, beta;
};

inline const ElementwiseOperator* find_elementwise_operator(std::string_view name) {
  static constexpr ElementwiseOperator kOperators[] = {
      {"Add", 2, "", ""},        {"Sub", 2, "", ""},
      {"Mul", 2, "", ""},        {"Div", 2, "", ""},
      {"Min", 2, "", ""},        {"Max", 2, "", ""},
      {"Abs", 1, "", ""},        {"Neg", 1, "", ""},
      {"Exp", 1, "", ""},        {"Log", 1, "", ""},
      {"Sqrt", 1, "", ""},       {"Reciprocal", 1, "", ""},
      {"Erf", 1, "", ""},        {"Tanh", 1, "", ""},
      {"Sin", 1, "", ""},        {"Cos", 1, "", ""},
      {"Relu", 1, "", ""},       {"Sigmoid", 1, "", ""},
      {"HardSwish", 1, "", ""},  {"Softplus", 1, "", ""},
      {"Softsign", 1, "", ""},   {"Mish", 1, "", ""},
      {"Gelu", 1, "", ""},       {"GeluTanh", 1, "", ""},
      {"Swish", 1, "alpha", ""}, {"LeakyRelu", 1, "alpha", ""},
      {"Elu", 1, "alpha", ""},   {"HardSigmoid", 1, "alpha", "beta"},
      {"Clip", 1, "min", "max"},
  };
  for (const ElementwiseOperator& entry : kOperators)
    if (entry.name == name) return &entry;
  return nullptr;
}

struct ElementwiseStep {
  const ElementwiseOperator* op;
  int64_t operands[2];  // below the number of inputs: an input; from there on: the result of the step of that number
  float alpha, beta;
};

// The steps in their order; the last one's result is the output. Throws kInvalidModel for what is no program of `inputs` inputs.
template <class Source>
std::vector<ElementwiseStep> read_elementwise_steps(const Source& source, size_t inputs) {
  const auto names = source.get_strings("operators");
  const auto operands = source.get_ints("operands");
  const auto numbers = source.get_floats("numbers");
  const auto refuse = [](const char* what) {
    base::fail(base::Code::kInvalidModel, "the steps of Elementwise are no program: {}", what);
  };
  if (names.empty() || names.size() > kMaxElementwiseSteps) refuse("their number");
  if (inputs == 0 || inputs > kMaxElementwiseInputs) refuse("the number of inputs");
  if (operands.size() != 2 * names.size() || numbers.size() != 2 * names.size())
    refuse("each has two operands and two numbers");
  std::vector<ElementwiseStep> steps;
  for (size_t i = 0; i < names.size(); ++i) {
    ElementwiseStep step{find_elementwise_operator(names[i]),
                         {operands[2 * i], operands[2 * i + 1]},
                         numbers[2 * i],
                         numbers[2 * i + 1]};
    if (step.op == nullptr) refuse("an operator that is not known");
    for (int k = 0; k < step.op->operands; ++k)
      if (step.operands[k] < 0 || step.operands[k] >= static_cast<int64_t>(inputs + i))
        refuse("an operand that is not computed before");
    steps.push_back(step);
  }
  return steps;
}

}  // namespace onnxrun::ops::attributes
