// Measuring agreement.
#include "agreement.h"

#include <cmath>
#include <limits>

#include "dtype_names.h"

namespace cli {
namespace {

using onnxrun::Tensor;
using onnxrun::Value;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_real(int dtype) {
  return is_float(dtype) && dtype != ONNXRUN_DTYPE_COMPLEX64 && dtype != ONNXRUN_DTYPE_COMPLEX128;
}

Tensor widened(const Tensor& tensor) { return Tensor::from(tensor.shape(), tensor.doubles()); }

Agreement of_tensors(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance) {
  Agreement result;
  const bool mixed = actual.dtype() != expected.dtype() && is_real(actual.dtype()) && is_real(expected.dtype());
  result.detail = mixed ? difference(widened(actual), widened(expected), tolerance)
                        : difference(Value(actual), Value(expected), tolerance);
  result.agrees = result.detail.empty();
  if (actual.shape() != expected.shape() || (actual.dtype() != expected.dtype() && !mixed)) {
    result.largest = result.relative = kNaN;
    return result;
  }
  if (actual.dtype() == ONNXRUN_DTYPE_STRING) {
    result.largest = result.relative = result.agrees ? 0 : kNaN;
    return result;
  }
  const std::vector<double> a = actual.doubles(), b = expected.doubles();
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) {
      if (std::isfinite(b[i])) norm += b[i] * b[i];
      continue;
    }
    const double apart = std::fabs(a[i] - b[i]);
    if (!(apart <= result.largest)) result.largest = apart;  // NaN stays
    error += apart * apart;
    norm += b[i] * b[i];
  }
  if (error != 0) result.relative = std::sqrt(error / norm);
  return result;
}

}  // namespace

Agreement agreement(const Value& actual, const Value& expected, const Tolerance& tolerance) {
  if (actual.is_tensor() && expected.is_tensor()) return of_tensors(Tensor(actual), Tensor(expected), tolerance);
  Agreement result;
  result.detail = difference(actual, expected, tolerance);
  result.agrees = result.detail.empty();
  if (!result.agrees) result.largest = result.relative = kNaN;
  return result;
}

}  // namespace cli
