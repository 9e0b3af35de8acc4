// Inputs and outputs that belong together.
#include "sides.h"

#include <algorithm>
#include <limits>

#include "adapt.h"
#include "input_files.h"
#include "outcome.h"

namespace cli {

using onnxrun::NamedValues;

NamedValues fitted(const NamedValues& inputs, const Side& side) {
  const std::vector<onnxrun::Port> ports = side.session.inputs();
  NamedValues result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& [name, value] = inputs[i];
    const auto same =
        std::find_if(ports.begin(), ports.end(), [&, &wanted = name](auto& p) { return p.name == wanted; });
    if (same == ports.end() && (i >= ports.size() || ports.size() != inputs.size()))
      throw Failure(side.path + " has no input '" + name + "'; its inputs are " + names_of(ports));
    const onnxrun::Port& port = same == ports.end() ? ports[i] : *same;
    const bool other_type =
        value.is_tensor() && port.dtype != ONNXRUN_DTYPE_NONE && onnxrun::Tensor(value).dtype() != port.dtype;
    result.emplace_back(port.name, other_type ? onnxrun::Value(cast(onnxrun::Tensor(value), port.dtype)) : value);
  }
  return result;
}

std::vector<std::pair<std::string, Agreement>> agreements(const onnxrun::Results& got, const NamedValues& expected,
                                                          const Tolerance& tolerance) {
  std::vector<std::pair<std::string, Agreement>> result;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, value] = expected[i];
    const auto same =
        std::find_if(got.begin(), got.end(), [&, &wanted = name](auto& output) { return output.first == wanted; });
    if (same == got.end() && (i >= got.size() || got.size() < expected.size())) {
      Agreement missing;
      missing.agrees = false;
      missing.largest = missing.relative = std::numeric_limits<double>::quiet_NaN();
      missing.detail = "the model has no such output";
      result.emplace_back(name, missing);
      continue;
    }
    const onnxrun::Value& actual =
        same == got.end() ? (got.begin() + static_cast<std::ptrdiff_t>(i))->second : same->second;
    result.emplace_back(name, agreement(actual, value, tolerance));
  }
  return result;
}

}  // namespace cli
