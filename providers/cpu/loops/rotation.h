// The rotation of pairs of elements by an angle each, in float32 whatever the storage.
#pragma once

#include <algorithm>
#include <cstdint>

namespace onnxrun::cpu {

// Rotates `pairs` pairs of x: neighbours when `interleaved`, else those `pairs` apart; the rest of its `size` elements is copied. `y` may be `x`.
template <class T, class Angle>
void rotate_pairs(const T* x, const Angle* cos, const Angle* sin, int64_t pairs, int64_t size, bool interleaved, T* y) {
  const int64_t step = interleaved ? 2 : 1, other = interleaved ? 1 : pairs;
  for (int64_t i = 0; i < pairs; ++i) {
    const float a = static_cast<float>(x[i * step]), b = static_cast<float>(x[i * step + other]);
    const float c = static_cast<float>(cos[i]), s = static_cast<float>(sin[i]);
    y[i * step] = static_cast<T>(c * a - s * b);
    y[i * step + other] = static_cast<T>(s * a + c * b);
  }
  if (x != y) std::copy_n(x + 2 * pairs, size - 2 * pairs, y + 2 * pairs);
}

}  // namespace onnxrun::cpu
