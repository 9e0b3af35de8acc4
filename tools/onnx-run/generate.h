// Inputs made up from a seed.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <cstdint>
#include <string>

#include "room.h"

namespace cli {

// Number `index` of the stream of `seed` and `name`: the same on every machine, whatever else is generated. It is the SplitMix64 output function applied to
// seed ^ fnv1a64(name) + (index + 1) * 0x9e3779b97f4a7c15.
uint64_t random_bits(uint64_t seed, const std::string& name, uint64_t index);

// Floating point: uniform in [0, 1), the upper 24 bits over 2^24. Integers and bool: 0 or 1, the top bit. Strings: one letter from a to z. Throws Failure for more than 2^28
// elements, and where they do not fit into `room`.
onnxrun::Tensor generate(onnxrun_dtype dtype, const onnxrun::Shape& shape, uint64_t seed, const std::string& name,
                         Room& room);

}  // namespace cli
