// The attribute of Transpose.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"

namespace onnxrun::ops::attributes {

// Which input axis each output axis is; reversed without `perm`. Throws kInvalidModel unless it is a permutation of the axes.
template <class Source>
std::vector<int64_t> permutation(const Source& source, int64_t rank) {
  std::vector<int64_t> perm = source.get_ints("perm");
  if (!source.has("perm")) {
    for (int64_t axis = rank; axis-- > 0;) perm.push_back(axis);
    return perm;
  }
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  for (int64_t& axis : perm) {
    const bool negative = axis < 0 && axis >= -rank;
    if (negative) axis += rank;
    if (axis < 0 || axis >= rank || seen[static_cast<size_t>(axis)])
      base::fail(base::Code::kInvalidModel, "'perm' {} is no permutation of the axes of an input of rank {}",
                 source.get_ints("perm"), rank);
    seen[static_cast<size_t>(axis)] = true;
  }
  if (static_cast<int64_t>(perm.size()) != rank)
    base::fail(base::Code::kInvalidModel, "'perm' {} is no permutation of the axes of an input of rank {}", perm, rank);
  return perm;
}

}  // namespace onnxrun::ops::attributes
