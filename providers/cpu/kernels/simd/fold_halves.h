// The lanes of a register of any type folded into one, half by half.
#pragma once

#include <cstdint>
#include <cstring>

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {

// f takes two vectors of one width, element by element; kLanes is a power of 2.
template <int64_t kLanes, class T, class F>
T fold_halves(const T* lanes, F&& f) {
  if constexpr (kLanes == 1) return *lanes;
  else {
    typedef T Half __attribute__((vector_size(kLanes / 2 * sizeof(T))));
    Half low, high;
    std::memcpy(&low, lanes, sizeof low);
    std::memcpy(&high, lanes + kLanes / 2, sizeof high);
    low = f(low, high);
    T folded[kLanes / 2];
    std::memcpy(folded, &low, sizeof folded);
    return fold_halves<kLanes / 2>(folded, f);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
