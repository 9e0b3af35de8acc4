// Attributes of DepthToSpace and SpaceToDepth.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace onnxrun::ops::attributes {

// Throws kInvalidModel below 1.
template <class Source>
int64_t block_size(const Source& source) {
  const int64_t block = source.get_int("blocksize", 0);
  if (block < 1 || block > INT32_MAX)
    base::fail(base::Code::kInvalidModel, "'blocksize' must be from 1 to {}, got {}", INT32_MAX, block);
  return block;
}

// Whether the channels are ordered (block row, block column, depth): mode DCR; otherwise (depth, row, column): CRD.
template <class Source>
bool depth_first(const Source& source) {
  const std::string mode = source.get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    base::fail(base::Code::kInvalidModel, "'mode' is \"{}\", but must be DCR or CRD", mode);
  return mode == "DCR";
}

}  // namespace onnxrun::ops::attributes
