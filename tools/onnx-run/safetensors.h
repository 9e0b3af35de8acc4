// Tensors by name in a .safetensors file: a header of JSON that says where each lies, and their elements one after the other. Nothing of it is executed.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

using NamedTensors = std::vector<std::pair<std::string, onnxrun::Tensor>>;

// By name. Throws Failure naming `what` and the tensor unless the header fits the format and the file: known element types, shapes that multiply to the bytes
// they are given, parts that neither overlap nor leave gaps, no name twice.
NamedTensors read_safetensors(std::string_view bytes, const std::string& what);

// Whether the format has this element type.
bool has_safetensors_type(int dtype);
// Throws Failure for an element type that the format lacks.
std::string write_safetensors(const NamedTensors& tensors);

}  // namespace cli
