// numpy's .npz archives.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "room.h"

namespace cli {

// All arrays of a .npz, stored or deflated, by name without ".npy". Throws Failure naming `what`, also where they do not fit into `room`.
std::vector<std::pair<std::string, onnxrun::Tensor>> read_npz(std::string_view bytes, const std::string& what,
                                                              Room& room);

// The array of that name, or the only one; no other is decompressed. Throws the same, also where there is no such array.
onnxrun::Tensor read_npz_array(std::string_view bytes, const std::string& name, const std::string& what, Room& room);

// A .npz of the tensors, stored. Throws Failure where it would be 4 GiB or more.
std::string write_npz(const std::vector<std::pair<std::string, onnxrun::Tensor>>& tensors);

}  // namespace cli
