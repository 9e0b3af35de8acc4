// The inputs of a run: read from files, or made up from a seed.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "picture.h"

namespace cli {

struct InputFlags {
  std::vector<std::string> files;   // NAME=FILE, or FILE.npz for all arrays in it
  std::vector<std::string> shapes;  // NAME=1x3x224x224
  uint64_t seed = 0;
  PictureFlags picture;
};

// A value for every input without a default. Symbolic dims take the size that a given input or shape binds them to, otherwise 1. Throws Failure naming
// the input.
onnxrun::NamedValues make_inputs(const std::vector<onnxrun::Port>& ports, const InputFlags& flags);

}  // namespace cli
