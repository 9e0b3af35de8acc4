// Linear samples of a plane at one instruction set level.
#include "cpu/loops/sample_row.h"

#include <bit>

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void sample_row(const float* plane, const SampleTaps& taps, int64_t count, float* out);

void sample_row(const float* plane, const SampleTaps& taps, int64_t count, float* out) {
#pragma GCC ivdep
  for (int64_t p = 0; p < count; ++p) {
    const auto tap = [&](int k) {
      const uint32_t bits = std::bit_cast<uint32_t>(plane[taps.from[k][p]]) & taps.inside[k][p];
      return taps.weight[k][p] * std::bit_cast<float>(bits);
    };
    out[p] = (tap(0) + tap(1)) + (tap(2) + tap(3));
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
