// Quantised operands as float32 values with their zero points taken off, and results brought back to 8 bits.
#pragma once

#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

// One 8-bit input of a node: integers or float8. Every value less a zero point is exact in float32.
class QuantizedValues {
 public:
  QuantizedValues() = default;
  QuantizedValues(const Node& node, size_t input)
      : count_(provider::count(node.input(input))), convert_(converter(dtype(node.input(input)), DType::kFloat32)) {
    if (convert_ == nullptr) throw provider::Declined{"an input's type does not convert to float32"};
  }
  int64_t count() const { return count_; }
  // Scratch for the values, a multiple of 64.
  size_t bytes() const { return (static_cast<size_t>(count_) * sizeof(float) + 63) & ~size_t{63}; }

  // Writes input `input` less its zero point, input `zero` where that is present; element i has zero point index(i).
  template <class Index>
  void load(RunContext& context, size_t input, size_t zero, Index index, float* out) const {
    const char* from = context.in<char>(input);
    const char* points = context.has_input(zero) ? context.in<char>(zero) : nullptr;
    parallel_polled(context, count_, 8, [&](int64_t begin, int64_t end) {
      convert_(from + begin, out + begin, end - begin);
      if (points == nullptr) return;
      int64_t last = -1;
      float point = 0;
      for (int64_t at = begin; at < end; ++at) {
        const int64_t now = index(at);
        if (now != last) convert_(points + now, &point, 1);
        last = now;
        out[at] -= point;
      }
    });
  }

 private:
  int64_t count_ = 0;
  Converter convert_ = nullptr;
};

// Element `index` of a scale of type float32, float16 or bfloat16.
inline float read_scale(const onnxrun_tensor& scale, int64_t index) {
  switch (dtype(scale)) {
    case DType::kFloat16: return static_cast<const Float16*>(scale.data)[index];
    case DType::kBfloat16: return static_cast<const Bfloat16*>(scale.data)[index];
    default: return static_cast<const float*>(scale.data)[index];
  }
}

// Stores value / scale + zero point in an 8-bit type: integers round half to even and saturate (NaN gives the lowest), float8 saturates.
class Requantizer {
 public:
  explicit Requantizer(DType type)
      : type_(type), load_(converter(type, DType::kFloat32)), store_(converter(DType::kFloat32, type)) {}
  float zero_point(const void* point) const {
    float value;
    load_(point, &value, 1);
    return value;
  }
  void store(double scaled, float zero_point, void* out, int64_t at) const {
    if (type_ == DType::kInt8) {
      static_cast<int8_t*>(out)[at] =
          static_cast<int8_t>(std::fmin(std::fmax(std::nearbyint(scaled) + zero_point, -128.0), 127.0));
    } else if (type_ == DType::kUint8) {
      static_cast<uint8_t*>(out)[at] =
          static_cast<uint8_t>(std::fmin(std::fmax(std::nearbyint(scaled) + zero_point, 0.0), 255.0));
    } else {
      const float value = static_cast<float>(scaled) + zero_point;
      store_(&value, static_cast<uint8_t*>(out) + at, 1);
    }
  }

 private:
  DType type_;
  Converter load_, store_;
};

}  // namespace onnxrun::cpu
