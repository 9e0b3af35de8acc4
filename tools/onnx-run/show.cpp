// Statistics and first values of outputs.
#include "show.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <sstream>

#include "dtype_names.h"
#include "numbers.h"

namespace cli {
namespace {

using onnxrun::Tensor;

constexpr int64_t kShown = 8;

std::string number(double value) {
  std::ostringstream text;
  text.precision(6);
  text << value;
  return text.str();
}

std::string type_text(const Tensor& tensor) {
  std::string text(dtype_name(tensor.dtype()));
  text += '[';
  for (const int64_t dim : tensor.shape()) text += (text.back() == '[' ? "" : ",") + std::to_string(dim);
  return text + ']';
}

std::string statistics(const Tensor& tensor) {
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0;
  size_t finite = 0, nan = 0, infinite = 0;
  each_double(tensor, [&](double value) {
    if (std::isnan(value)) ++nan;
    else if (std::isinf(value)) ++infinite;
    if (!std::isfinite(value)) return;
    ++finite;
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  });
  if (tensor.count() == 0) return "empty";
  const double mean = sum / static_cast<double>(std::max<size_t>(finite, 1));
  each_double(tensor, [&](double value) {
    if (std::isfinite(value)) squares += (value - mean) * (value - mean);
  });
  std::string text;
  if (finite != 0)
    text = "min " + number(low) + "  max " + number(high) + "  mean " + number(mean) + "  std " +
           number(std::sqrt(squares / static_cast<double>(finite)));
  if (nan != 0) text += "  NaN " + std::to_string(nan);
  if (infinite != 0) text += "  inf " + std::to_string(infinite);
  return text;
}

// Exact for 64-bit integers.
std::string element(const Tensor& tensor, const std::vector<double>& values, int64_t i) {
  const auto at = static_cast<size_t>(i);
  switch (tensor.dtype()) {
    case ONNXRUN_DTYPE_STRING: return "'" + std::string(tensor.string(i)) + "'";
    case ONNXRUN_DTYPE_INT64: return std::to_string(tensor.span<int64_t>()[at]);
    case ONNXRUN_DTYPE_UINT64: return std::to_string(tensor.span<uint64_t>()[at]);
    case ONNXRUN_DTYPE_BOOL: return values[at] != 0 ? "true" : "false";
    case ONNXRUN_DTYPE_COMPLEX64:
    case ONNXRUN_DTYPE_COMPLEX128:
      return number(values[2 * at]) + (values[2 * at + 1] < 0 ? "" : "+") + number(values[2 * at + 1]) + "i";
    default: return number(values[at]);
  }
}

void show_tensor(std::ostream& out, const std::string& indent, const std::string& name, const Tensor& tensor) {
  const bool text = tensor.dtype() == ONNXRUN_DTYPE_STRING;
  out << indent << name << "  " << type_text(tensor);
  if (!text && tensor.dtype() != ONNXRUN_DTYPE_BOOL) out << "  " << statistics(tensor);
  out << '\n';
  if (tensor.count() == 0) return;
  out << indent << "  ";
  const int64_t shown = std::min(kShown, tensor.count());
  const std::vector<double> values = text ? std::vector<double>() : some_doubles(tensor, 0, shown);
  for (int64_t i = 0; i < shown; ++i) out << (i == 0 ? "" : " ") << element(tensor, values, i);
  if (tensor.count() > kShown) out << " ... (" << tensor.count() << " values)";
  out << '\n';
}

}  // namespace

void show_value(std::ostream& out, const std::string& name, const onnxrun::Value& value, int depth) {
  const std::string indent(static_cast<size_t>(depth) * 2, ' ');
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: return show_tensor(out, indent, name, Tensor(value));
    case ONNXRUN_KIND_SEQUENCE: {
      out << indent << name << "  " << value.describe() << '\n';
      const auto elements = value.elements();
      for (size_t i = 0; i < std::min<size_t>(elements.size(), kShown); ++i)
        show_value(out, name + "[" + std::to_string(i) + "]", elements[i], depth + 1);
      return;
    }
    case ONNXRUN_KIND_MAP:
      out << indent << name << "  " << value.describe() << '\n';
      show_value(out, "keys", value.keys(), depth + 1);
      return show_value(out, "values", value.values(), depth + 1);
    default: out << indent << name << "  absent\n";
  }
}

}  // namespace cli
