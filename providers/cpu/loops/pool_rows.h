// Windows of float32 pools for a few rows of results at once, built for every instruction set level.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// Rows of the input that lie at the same place in windows are put together before windows take elements side by side of them.
struct PoolRows {
  static constexpr int64_t kMostPitch = 4096;
  static constexpr int64_t kSlack = 16;  // elements behind the last row of the buffer that may be written

  const float* plane;       // of the input
  const int64_t* offsets;   // in it, of the rows that count to the first row of results, and so on
  const int64_t* begins;    // where in `offsets` those of each row of results begin, and where the last ones end
  int64_t count;            // rows of results
  int64_t in_width, width;  // elements of a row of the input and of results
  int64_t pad, kernel, stride, dilation;
  float* buffer;  // count * pitch + kSlack
  int64_t pitch;  // pool_pitch's
  float* out;     // rows of results, one behind the other
  // Of averages: a sum is divided by the product of its row's and its column's.
  const float *row_divisors, *column_divisors;
};

// What a row of the input takes with its padding.
inline int64_t pool_pitch(int64_t in_width, int64_t width, int64_t pad, int64_t kernel, int64_t stride,
                          int64_t dilation) {
  const int64_t padded = pad + in_width, reached = ((width + 15) / 16 * 16 + 15) * stride + (kernel - 1) * dilation;
  return (padded > reached ? padded : reached) + PoolRows::kSlack;
}

// The greatest numbers; NaN is passed over.
void max_pool_rows(const PoolRows& rows);
// Sums divided; what is divided by 0 gives 0.
void average_pool_rows(const PoolRows& rows);

}  // namespace onnxrun::cpu
