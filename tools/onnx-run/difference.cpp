// Element-wise comparison of values.
#include "difference.h"

#include <cmath>
#include <cstring>
#include <sstream>

#include "dtype_names.h"

namespace cli {
namespace {

using onnxrun::Tensor;
using onnxrun::Value;

std::string index_text(const onnxrun::Shape& shape, size_t flat) {
  std::string text;
  for (size_t d = shape.size(); d-- > 0;) {
    const auto size = static_cast<size_t>(shape[d]);
    text = std::to_string(flat % size) + (text.empty() ? "" : ",") + text;
    flat /= size;
  }
  return "[" + text + "]";
}

std::string number_text(double value) {
  std::ostringstream text;
  text.precision(9);
  text << value;
  return text.str();
}

struct Tally {
  size_t wrong = 0;
  size_t first = 0;
  void add(size_t i) {
    if (wrong++ == 0) first = i;
  }
};

bool close(double a, double b, double rtol, double atol) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::fabs(a - b) <= atol + rtol * std::fabs(b);
}

std::string report(const Tally& tally, size_t count, const onnxrun::Shape& shape, const std::string& got,
                   const std::string& wanted) {
  return std::to_string(tally.wrong) + " of " + std::to_string(count) + " elements differ, first at " +
         index_text(shape, tally.first) + ": got " + got + ", expected " + wanted;
}

std::string compare_strings(const Tensor& actual, const Tensor& expected) {
  Tally tally;
  const auto count = static_cast<size_t>(expected.count());
  for (size_t i = 0; i < count; ++i)
    if (actual.string(static_cast<int64_t>(i)) != expected.string(static_cast<int64_t>(i))) tally.add(i);
  if (tally.wrong == 0) return {};
  const auto at = static_cast<int64_t>(tally.first);
  return report(tally, count, expected.shape(), "'" + std::string(actual.string(at)) + "'",
                "'" + std::string(expected.string(at)) + "'");
}

std::string compare_tensors(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape())
    return "got a " + actual.describe() + ", expected a " + expected.describe();
  if (expected.dtype() == ONNXRUN_DTYPE_STRING) return compare_strings(actual, expected);
  const std::vector<double> got = actual.doubles(), wanted = expected.doubles();
  const size_t width = expected.count() == 0 ? 1 : wanted.size() / static_cast<size_t>(expected.count());
  Tally tally;
  if (is_float(expected.dtype())) {
    const double rtol =
        expected.dtype() == ONNXRUN_DTYPE_BFLOAT16 && !tolerance.given ? std::ldexp(1.0, -6) : tolerance.rtol;
    double worst = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (close(got[i], wanted[i], rtol, tolerance.atol)) continue;
      tally.add(i);
      const double error = std::fabs(got[i] - wanted[i]);
      if (!(error <= worst)) worst = error;
    }
    if (tally.wrong == 0) return {};
    const size_t at = tally.first;
    tally.first /= width;
    return report(tally, wanted.size(), expected.shape(), number_text(got[at]), number_text(wanted[at])) +
           "; largest difference " + number_text(worst) + " (rtol " + number_text(rtol) + ", atol " +
           number_text(tolerance.atol) + ")";
  }
  const auto a = actual.bytes(), b = expected.bytes();  // 64-bit integers are not exact as doubles
  const bool wide = !a.empty() && a.size() == wanted.size() * sizeof(int64_t);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const bool same = wide ? std::memcmp(a.data() + i * 8, b.data() + i * 8, 8) == 0 : got[i] == wanted[i];
    if (!same) tally.add(i);
  }
  if (tally.wrong == 0) return {};
  return report(tally, wanted.size(), expected.shape(), number_text(got[tally.first]),
                number_text(wanted[tally.first]));
}

std::string within(const std::string& where, const std::string& what) {
  return what.empty() ? what : where + ": " + what;
}

}  // namespace

std::string difference(const Value& actual, const Value& expected, const Tolerance& tolerance) {
  if (actual.kind() != expected.kind()) return "got a " + actual.describe() + ", expected a " + expected.describe();
  switch (expected.kind()) {
    case ONNXRUN_KIND_TENSOR: return compare_tensors(Tensor(actual), Tensor(expected), tolerance);
    case ONNXRUN_KIND_MAP: {
      const std::string keys = within("keys", difference(actual.keys(), expected.keys(), tolerance));
      return !keys.empty() ? keys : within("values", difference(actual.values(), expected.values(), tolerance));
    }
    case ONNXRUN_KIND_SEQUENCE: {
      const auto got = actual.elements(), wanted = expected.elements();
      if (got.size() != wanted.size()) return "got a " + actual.describe() + ", expected a " + expected.describe();
      for (size_t i = 0; i < wanted.size(); ++i)
        if (const std::string what = difference(got[i], wanted[i], tolerance); !what.empty())
          return within("element " + std::to_string(i), what);
      return {};
    }
    default: return {};
  }
}

}  // namespace cli
