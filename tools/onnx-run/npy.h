// numpy's .npy format, versions 1 to 3.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>

#include "room.h"

namespace cli {

// A tensor from the bytes of a .npy file: numbers, bool, complex and strings ('U' and 'S'), either byte order, C or Fortran order. Throws Failure that
// names `what` for anything else, and where the tensor would not fit into `room`.
onnxrun::Tensor read_npy(std::string_view bytes, const std::string& what, Room& room);

// The bytes of a .npy file. Types that numpy lacks are widened: bfloat16, float8, float6, float4 to float32; int4, int2 to int8; uint4, uint2 to uint8.
// Throws Failure where strings would take very much more room than their text, as each takes that of the longest.
std::string write_npy(const onnxrun::Tensor& tensor);

}  // namespace cli
