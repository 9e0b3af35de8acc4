// The attribute of Softmax, LogSoftmax and Hardmax.
#pragma once

#include <cstdint>

#include "base/shape.h"

namespace onnxrun::ops::attributes {

// The axis normalised over, in [0, rank). Throws kInvalidArgument out of range.
template <class Source>
int64_t softmax_axis(const Source& source, int64_t rank) {
  return base::normalize_axis(source.get_int("axis", -1), rank);
}

}  // namespace onnxrun::ops::attributes
