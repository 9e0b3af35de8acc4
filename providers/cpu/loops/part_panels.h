// Constant matrices in two bfloat16 parts (parts.h), packed for products on tiles: they take the room of float32, and nothing is split when they are multiplied.
#pragma once

#include <cstdint>

#include "cpu/loops/parts.h"

namespace onnxrun::cpu {

// A matrix of k x n: extents of each panel, then the panels, [step, tile of columns, part] of tiles as PartOperands::b. A panel whose numbers parts cannot hold is one of float32 instead.
class PartPanels {
 public:
  PartPanels(int64_t k, int64_t n);

  // That a matrix takes.
  int64_t elements() const {
    return (header_bytes_ + panels_ * panel_bytes_) / static_cast<int64_t>(sizeof(FloatParts));
  }
  // As pack_panels.
  void pack(const float* b, int64_t row_stride, int64_t column_stride, FloatParts* packed) const;

  const char* panel(const FloatParts* packed, int64_t index) const {
    return reinterpret_cast<const char*>(packed) + header_bytes_ + index * panel_bytes_;
  }
  PartExtents extents(const FloatParts* packed, int64_t index) const {
    return reinterpret_cast<const PartExtents*>(packed)[index];
  }

 private:
  int64_t k_, n_, panels_, header_bytes_, panel_bytes_;
};

}  // namespace onnxrun::cpu
