// The kernel function of a support vector machine.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace onnxrun::ops {

struct SvmKernel {
  enum class Kind { kLinear, kPoly, kRbf, kSigmoid };
  Kind kind = Kind::kLinear;
  double gamma = 0, coef0 = 0, degree = 0;
};

// Throws kInvalidModel for an unknown kernel, or parameters that are neither three nor none.
template <class Source>
SvmKernel read_svm_kernel(const Source& source) {
  SvmKernel result;
  const std::string name = source.get_string("kernel_type", "LINEAR");
  if (name == "POLY") result.kind = SvmKernel::Kind::kPoly;
  else if (name == "RBF") result.kind = SvmKernel::Kind::kRbf;
  else if (name == "SIGMOID") result.kind = SvmKernel::Kind::kSigmoid;
  else if (name != "LINEAR")
    base::fail(base::Code::kInvalidModel, "'kernel_type' is \"{}\", but must be LINEAR, POLY, RBF or SIGMOID", name);
  const std::vector<float> parameters = source.get_floats("kernel_params");
  if (parameters.empty()) return result;
  if (parameters.size() != 3)
    base::fail(base::Code::kInvalidModel, "'kernel_params' has {} elements, but must have gamma, coef0 and degree",
               parameters.size());
  result.gamma = static_cast<double>(parameters[0]);
  result.coef0 = static_cast<double>(parameters[1]);
  result.degree = static_cast<double>(parameters[2]);
  return result;
}

}  // namespace onnxrun::ops
