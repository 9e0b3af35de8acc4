// numpy's .npz archives.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

// All arrays of a .npz, stored or deflated, by name without ".npy". Throws Failure naming `what`.
std::vector<std::pair<std::string, onnxrun::Tensor>> read_npz(std::string_view bytes, const std::string& what);

// A .npz of the tensors, stored. Throws Failure where it would be 4 GiB or more.
std::string write_npz(const std::vector<std::pair<std::string, onnxrun::Tensor>>& tensors);

}  // namespace cli
