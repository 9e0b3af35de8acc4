// The attributes of com.microsoft.GatherBlockQuantized and how its packed data is seen.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/shape.h"

namespace onnxrun::ops::attributes {

struct GatherBlocks {
  int64_t gather_axis = 0, quantize_axis = 1, block = 128, bits = 4;
  base::DType stored = base::DType::kUint4;  // what the data's bytes hold
  int64_t per_element = 1;                   // values in an element of the last axis: uint8 data holds several

  // What an element is less where no zero point is given.
  int64_t middle(base::DType data) const { return data == base::DType::kUint8 ? int64_t{1} << (bits - 1) : 0; }
};

// Throws kInvalidModel for what does not fit data of this rank and type.
template <class Source>
GatherBlocks read_gather_blocks(const Source& source, base::DType data, int64_t rank) {
  using base::Code;
  using base::DType;
  using base::fail;
  GatherBlocks result;
  if (rank < 1) fail(Code::kInvalidModel, "'data' must have rank 1 or more");
  result.gather_axis = base::normalize_axis(source.get_int("gather_axis", 0), rank);
  result.quantize_axis = base::normalize_axis(source.get_int("quantize_axis", 1), rank);
  result.block = source.get_int("block_size", 128);
  result.bits = source.get_int("bits", 4);
  result.stored = data;
  const bool integers = data == DType::kInt4 || data == DType::kUint4 || data == DType::kUint8;
  if (!(result.block == 0 && !integers) && (result.block < 16 || (result.block & (result.block - 1)) != 0))
    fail(Code::kInvalidModel, "attribute 'block_size' is {}, expected a power of two, 16 or more", result.block);
  if (data != DType::kUint8) return result;
  if (result.bits != 2 && result.bits != 4 && result.bits != 8)
    fail(Code::kInvalidModel, "attribute 'bits' is {}, expected 2, 4 or 8", result.bits);
  if (result.gather_axis != 0)
    fail(Code::kInvalidModel, "attribute 'gather_axis' is {}, uint8 data is gathered along axis 0", result.gather_axis);
  if (result.bits < 8 && result.quantize_axis == 0)
    fail(Code::kInvalidModel, "packed uint8 data cannot be gathered along the axis of its blocks");
  if (result.bits < 8 && rank == 1) fail(Code::kInvalidModel, "packed uint8 data must have rank 2 or more");
  result.stored = result.bits == 2 ? DType::kUint2 : result.bits == 4 ? DType::kUint4 : DType::kUint8;
  result.per_element = 8 / result.bits;
  return result;
}

}  // namespace onnxrun::ops::attributes
