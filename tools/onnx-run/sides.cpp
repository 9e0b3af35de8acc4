// Inputs and outputs that belong together.
#include "sides.h"

#include <algorithm>
#include <limits>

#include "adapt.h"
#include "files.h"
#include "input_files.h"
#include "npz.h"
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

std::vector<ComparedOutput> agreements(const onnxrun::Results& got, const NamedValues& expected,
                                       const Tolerance& tolerance) {
  std::vector<ComparedOutput> result;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, value] = expected[i];
    auto found = std::find_if(got.begin(), got.end(),
                              [&, &wanted = name](const auto& output) { return output.first == wanted; });
    if (found == got.end() && i < got.size() && got.size() >= expected.size())
      found = got.begin() + static_cast<std::ptrdiff_t>(i);
    if (found != got.end()) {
      result.push_back({name, found->first, agreement(found->second, value, tolerance)});
      continue;
    }
    Agreement missing;
    missing.agrees = false;
    missing.largest = missing.relative = std::numeric_limits<double>::quiet_NaN();
    missing.detail = "the model has no such output";
    result.push_back({name, {}, missing});
  }
  return result;
}

std::vector<std::string> left_out(const std::vector<onnxrun::Port>& outputs,
                                  const std::vector<ComparedOutput>& compared) {
  std::vector<std::string> result;
  for (const onnxrun::Port& port : outputs)
    if (std::none_of(compared.begin(), compared.end(), [&](const auto& output) { return output.given == port.name; }))
      result.push_back(port.name);
  return result;
}

NamedValues expected_arrays(const std::string& file, const std::vector<onnxrun::Port>& outputs, Room room) {
  NamedValues result;
  for (auto& [name, array] : read_npz(read_file(file), file, room)) {
    std::string output = name;
    for (size_t i = 0; i < outputs.size(); ++i)
      if (name == "arr_" + std::to_string(i)) output = outputs[i].name;
    if (std::none_of(outputs.begin(), outputs.end(), [&](const auto& port) { return port.name == output; }))
      throw Failure(file + ": the model has no output '" + name + "'; its outputs are " + names_of(outputs));
    result.emplace_back(output, std::move(array));
  }
  if (result.empty()) throw Failure(file + " holds no arrays to compare with");
  return result;
}

}  // namespace cli
