// The inner loops of LRN at one instruction set level.
#include "cpu/loops/local_response.h"

#include <cmath>

#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

Vector root(Vector x) {
  return each_lane(x, [](float v) { return std::sqrt(v); });
}

// x / base^(3/4), through two roots.
Vector respond(Vector x, Vector base) {
  const Vector square_root = root(base);
  return x / (square_root * root(square_root));
}

void plane(const float* first, int64_t apart, int64_t low, int64_t high, int64_t own, float bias, float factor,
           float* y, int64_t n) {
  const Vector scale = splat(factor), shift = splat(bias);
  const auto piece = [&](auto&& get, auto&& put, int64_t i) {
    Vector sum = splat(0.0f);
    for (int64_t row = low; row <= high; ++row) {
      const Vector value = get(first + row * apart + i);
      sum = madd(value, value, sum);
    }
    put(y + i, respond(get(first + own * apart + i), madd(sum, scale, shift)));
  };
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) piece(load, store, i);
  if (i < n)
    piece([&](const float* from) { return load_part(from, n - i, 0.0f); },
          [&](float* to, Vector value) { store_part(to, value, n - i); }, i);
}

void blocks(const float* x, int64_t count_of_blocks, int64_t block, int64_t apart, int64_t count, Neighbours reach,
            float bias, float factor, float* squares, float* y) {
  const Vector scale = splat(factor), shift = splat(bias);
  const int64_t window = reach.before + 1 + reach.after;
  for (int64_t pixel = 0; pixel < count; ++pixel, x += block, y += block) {
    for (int64_t b = 0; b < count_of_blocks; ++b)
      for (int64_t l = 0; l < block; l += kWidth) {
        const Vector value = load(x + b * apart + l);
        store(squares + reach.before + b * block + l, value * value);
      }
    for (int64_t b = 0; b < count_of_blocks; ++b)
      for (int64_t l = 0; l < block; l += kWidth) {
        const float* from = squares + b * block + l;
        Vector sum = load(from);
        for (int64_t d = 1; d < window; ++d) sum += load(from + d);
        store(y + b * apart + l, respond(load(x + b * apart + l), madd(sum, scale, shift)));
      }
  }
}

}  // namespace

const LocalResponse& local_response() {
  static constexpr LocalResponse kFunctions{plane, blocks};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
