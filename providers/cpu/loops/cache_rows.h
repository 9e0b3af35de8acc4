// Rows of a key or value cache, read and written as float32: stored in a floating-point type, or as whole numbers of 8 or 4 bits with a scale.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

// Element i of data in float32, float16 or bfloat16.
inline float load_narrow(DType type, const void* data, int64_t i) {
  if (type == DType::kFloat32) return static_cast<const float*>(data)[i];
  return type == DType::kFloat16 ? static_cast<float>(static_cast<const Float16*>(data)[i])
                                 : static_cast<float>(static_cast<const Bfloat16*>(data)[i]);
}

class CacheRows {
 public:
  // Rows of `size` elements; `bits` 4 or 8 and `per_channel` (a scale for each element of a head's row) where the type is int8 or uint8.
  CacheRows(DType type, int64_t size, int64_t bits, bool per_channel)
      : type_(type),
        size_(size),
        bits_(bits),
        per_channel_(per_channel),
        widen_(converter(type, DType::kFloat32)),
        narrow_(converter(DType::kFloat32, type)) {}

  bool scaled() const { return type_ == DType::kInt8 || type_ == DType::kUint8; }
  int64_t row_bytes() const {
    if (scaled()) return bits_ == 4 ? (size_ + 1) / 2 : size_;
    return size_ * base::dtype_bits(type_) / 8;
  }

  // `scales`: one, or `size` for each of the heads.
  void load(const void* row, const float* scales, int64_t head, float* out) const {
    if (scaled()) {
      for (int64_t e = 0; e < size_; ++e) out[e] = static_cast<float>(number(row, e)) * scale(scales, head, e);
      return;
    }
    widen_(row, out, size_);
  }

  void save(const float* in, const float* scales, int64_t head, void* row) const {
    if (scaled()) {
      for (int64_t e = 0; e < size_; ++e) {
        const float low = bits_ == 4 ? -8.0f : -128.0f, value = std::nearbyint(in[e] / scale(scales, head, e));
        set_number(row, e, static_cast<int>(value == value ? std::clamp(value, low, -low - 1) : 0));
      }
      return;
    }
    narrow_(in, row, size_);
  }

 private:
  float scale(const float* scales, int64_t head, int64_t e) const {
    return per_channel_ ? scales[head * size_ + e] : scales[0];
  }

  // Two numbers of 4 bits a byte, the first in the low half, each 8 too large.
  int number(const void* row, int64_t e) const {
    if (bits_ == 8)
      return type_ == DType::kInt8 ? static_cast<const int8_t*>(row)[e] : static_cast<const uint8_t*>(row)[e] - 128;
    return (static_cast<const uint8_t*>(row)[e / 2] >> (e % 2 * 4) & 15) - 8;
  }
  void set_number(void* row, int64_t e, int value) const {
    if (bits_ == 8) {
      static_cast<uint8_t*>(row)[e] = static_cast<uint8_t>(type_ == DType::kInt8 ? value : value + 128);
      return;
    }
    uint8_t& byte = static_cast<uint8_t*>(row)[e / 2];
    const int shift = static_cast<int>(e % 2 * 4);
    byte = static_cast<uint8_t>(e % 2 == 0 ? value + 8 : (byte & 15) | (value + 8) << shift);
  }

  DType type_;
  int64_t size_, bits_;
  bool per_channel_;
  Converter widen_, narrow_;
};

}  // namespace onnxrun::cpu
