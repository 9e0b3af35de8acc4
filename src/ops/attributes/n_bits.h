// The attributes of com.microsoft.MatMulNBits and the sizes that follow from them.
#pragma once

#include <cstdint>

#include "base/checked.h"
#include "base/error.h"

namespace onnxrun::ops::attributes {

// Weights of an N x K matrix in blocks of `block` along K, `bits` bits each, the first in the low bits of a byte.
struct NBits {
  int64_t k = 0, n = 0, bits = 4, block = 32;

  int64_t blocks() const { return (k + block - 1) / block; }  // of a row
  int64_t row_bytes() const { return blocks() * (block * bits / 8); }
  int64_t zero_row_bytes() const { return (blocks() * bits + 7) / 8; }
  // What a weight is less where no zero point is given.
  int64_t middle() const { return int64_t{1} << (bits - 1); }
};

// Throws kInvalidModel naming the attribute that does not fit.
template <class Source>
NBits read_n_bits(const Source& source) {
  const auto refuse = [](const char* name, int64_t value, const char* expected) {
    base::fail(base::Code::kInvalidModel, "attribute '{}' is {}, expected {}", name, value, expected);
  };
  NBits result{source.get_int("K", 0), source.get_int("N", 0), source.get_int("bits", 4),
               source.get_int("block_size", 32)};
  if (result.k < 1 || result.k > INT32_MAX) refuse("K", result.k, "1 to 2147483647");
  if (result.n < 1 || result.n > INT32_MAX) refuse("N", result.n, "1 to 2147483647");
  if (result.bits != 2 && result.bits != 4 && result.bits != 8) refuse("bits", result.bits, "2, 4 or 8");
  if (result.block < 16 || result.block > INT32_MAX || (result.block & (result.block - 1)) != 0)
    refuse("block_size", result.block, "a power of two, 16 or more");
  base::checked_mul(result.n, result.row_bytes());
  return result;
}

}  // namespace onnxrun::ops::attributes
