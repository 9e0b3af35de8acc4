// Tables of element types that codes stand for, and the conversions by them.
#include "cuda/kernels/coded.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/packed.h"

namespace onnxrun::cuda {

using base::DType;

bool is_coded(DType type) {
  return (base::is_float(type) && base::dtype_bits(type) <= 8) || (base::is_integer(type) && base::is_sub_byte(type));
}

size_t Tables::append(const void* data, size_t bytes) {
  const size_t at = (data_.size() + 15) / 16 * 16;
  data_.resize(at + bytes);
  std::memcpy(data_.data() + at, data, bytes);
  return at;
}

Decoder::Decoder(DType type, Tables& tables) : bits_(base::dtype_bits(type)) {
  std::vector<float> table(size_t{1} << base::dtype_bits(type));
  for (size_t code = 0; code < table.size(); ++code) {
    const auto byte = static_cast<uint8_t>(code);
    table[code] = base::is_float(type) ? base::decode_minifloat(type, byte)
                                       : static_cast<float>(base::packed_integer(type, byte));
  }
  table_ = tables.append(table.data(), table.size() * sizeof(float));
}
void Decoder::run(const Queue& queue, const char* tables, const void* x, float* y, int64_t count) const {
  launch_decode(queue, bits_, values(tables), static_cast<const uint8_t*>(x), y, count);
}

namespace {

// Floats in their order by whole numbers, -0 before 0.
float nth(int64_t n) {
  const auto word =
      n < 0 ? static_cast<uint32_t>(0x80000000u - 1u - static_cast<uint32_t>(n)) : static_cast<uint32_t>(n);
  return std::bit_cast<float>(word);
}

}  // namespace

// The steps by which a conversion rounds: from each low on the code of the same index.
Encoder::Encoder(DType type, base::Saturate saturate, base::RoundMode round, Tables& tables) {
  std::vector<float> lows;
  std::vector<uint8_t> codes;
  const int64_t infinity = std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity());
  const auto encode = [&](int64_t n) { return base::encode_minifloat(type, nth(n), saturate, round); };
  // The encoding is constant between steps: each next step is found by halving the rest.
  const auto find_steps = [&](auto&& self, int64_t first, int64_t last) -> void {
    if (encode(first) == encode(last) && last - first < (int64_t{1} << 20)) return;
    if (last - first == 1) {
      lows.push_back(nth(last));
      codes.push_back(encode(last));
      return;
    }
    const int64_t middle = first + (last - first) / 2;
    self(self, first, middle);
    self(self, middle, last);
  };
  const int64_t lowest = -infinity - 1;
  lows.push_back(nth(lowest));
  codes.push_back(encode(lowest));
  find_steps(find_steps, lowest, infinity);
  encoding_.count = static_cast<int>(lows.size());
  encoding_.nan = base::encode_minifloat(type, std::numeric_limits<float>::quiet_NaN(), saturate, round);
  lows_ = tables.append(lows.data(), lows.size() * sizeof(float));
  codes_ = tables.append(codes.data(), codes.size());
}
void Encoder::run(const Queue& queue, const char* tables, const float* x, uint8_t* codes, int64_t count) const {
  Encoding encoding = encoding_;
  encoding.lows = reinterpret_cast<const float*>(tables + lows_);
  encoding.codes = reinterpret_cast<const uint8_t*>(tables + codes_);
  launch_encode(queue, encoding, x, codes, count);
}

}  // namespace onnxrun::cuda
