// Tables of element types that codes stand for.
#include "cuda/kernels/coded.h"

#include <bit>
#include <limits>

#include "base/packed.h"

namespace onnxrun::cuda {

using base::DType;

bool is_coded(DType type) {
  return (base::is_float(type) && base::dtype_bits(type) <= 8) || (base::is_integer(type) && base::is_sub_byte(type));
}

std::vector<float> decoding_table(DType type) {
  std::vector<float> table(size_t{1} << base::dtype_bits(type));
  for (size_t code = 0; code < table.size(); ++code) {
    const auto byte = static_cast<uint8_t>(code);
    table[code] = base::is_float(type) ? base::decode_minifloat(type, byte)
                                       : static_cast<float>(base::packed_integer(type, byte));
  }
  return table;
}

namespace {

// Floats in their order by whole numbers, -0 before 0.
float nth(int64_t n) {
  const auto word =
      n < 0 ? static_cast<uint32_t>(0x80000000u - 1u - static_cast<uint32_t>(n)) : static_cast<uint32_t>(n);
  return std::bit_cast<float>(word);
}

}  // namespace

EncodingTable encoding_table(DType type, base::Saturate saturate, base::RoundMode round) {
  EncodingTable table;
  table.nan = base::encode_minifloat(type, std::numeric_limits<float>::quiet_NaN(), saturate, round);
  const int64_t infinity = std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity());
  const auto encode = [&](int64_t n) { return base::encode_minifloat(type, nth(n), saturate, round); };
  // The encoding is constant between steps: each next step is found by halving the rest.
  const auto find_steps = [&](auto&& self, int64_t first, int64_t last) -> void {
    if (encode(first) == encode(last) && last - first < (int64_t{1} << 20)) return;
    if (last - first == 1) {
      table.lows.push_back(nth(last));
      table.codes.push_back(encode(last));
      return;
    }
    const int64_t middle = first + (last - first) / 2;
    self(self, first, middle);
    self(self, middle, last);
  };
  const int64_t lowest = -infinity - 1;
  table.lows.push_back(nth(lowest));
  table.codes.push_back(encode(lowest));
  find_steps(find_steps, lowest, infinity);
  return table;
}

}  // namespace onnxrun::cuda
