// The inner loops of LRN with the exponent 3/4, built for every instruction set level: y = x / (bias + factor * s)^(3/4), where s is the sum of the
// squares of the neighbouring channels.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// Channels before and after each one whose squares count.
struct Neighbours {
  int64_t before, after;
};

struct LocalResponse {
  // n elements of one channel: `x` and `y` point to its own, rows `low` to `high` of channels lie `apart` elements from each other, and `own` is the row of x.
  void (*plane)(const float* first, int64_t apart, int64_t low, int64_t high, int64_t own, float bias, float factor,
                float* y, int64_t n);
  // `count` pixels of all channels: [blocks, pixels, block], the blocks `apart` elements from each other. `squares` has before + blocks * block + after
  // elements, the first and the last ones 0.
  void (*blocks)(const float* x, int64_t blocks, int64_t block, int64_t apart, int64_t count, Neighbours reach,
                 float bias, float factor, float* squares, float* y);
};

// Those of this machine's level.
const LocalResponse& local_response();

}  // namespace onnxrun::cpu
