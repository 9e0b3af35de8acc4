// Conversions to and from element types that codes stand for, by tables that the host makes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/floats.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

// float8, float8e8m0, float6, float4 and the integers of 2 and 4 bits.
bool is_coded(base::DType type);

// The value of every code.
std::vector<float> decoding_table(base::DType type);

// The steps by which a conversion rounds to a minifloat; see Encoding.
struct EncodingTable {
  std::vector<float> lows;
  std::vector<uint8_t> codes;
  uint8_t nan = 0;
};
EncodingTable encoding_table(base::DType type, base::Saturate saturate, base::RoundMode round);

}  // namespace onnxrun::cuda
