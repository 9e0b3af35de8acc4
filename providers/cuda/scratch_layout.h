// Places in a kernel's scratch memory, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/checked.h"

namespace onnxrun::cuda {

class ScratchLayout {
 public:
  // What follows a workspace of a library, which lies first.
  explicit ScratchLayout(size_t first = 0) : bytes_(first) {}

  // Where so many bytes lie from the scratch memory's start on: at a multiple of 256, as libraries want their workspaces.
  size_t reserve(size_t bytes) {
    const size_t at = bytes_;
    bytes_ += (bytes + 255) / 256 * 256;
    return at;
  }
  size_t reserve(int64_t count, int64_t bytes) { return reserve(static_cast<size_t>(base::checked_mul(count, bytes))); }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_;
};

}  // namespace onnxrun::cuda
