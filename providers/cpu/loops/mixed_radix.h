// The fast Fourier transform of lengths that are products of small primes (Stockham's form: no reordering, rows side by side).
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

// No prime factor above 31.
bool has_small_factors(int64_t length);

// e^(-2 pi i k / n) for 0 <= k < n, exact at the quarters of the circle.
std::complex<double> unit_root(int64_t k, int64_t n);
inline constexpr int64_t kRootSteps = 16;  // what one costs, about, for a Pacer

// T is float or double; the arithmetic is in T.
template <class T>
class MixedRadix {
 public:
  // has_small_factors(length). Here and below `pacer`, where given, ends the work of a cancelled run.
  explicit MixedRadix(int64_t length, Pacer* pacer = nullptr);

  // Transforms re and im, [length, rows] each, in place, with e^-. `work` has 2 * length * rows elements.
  void run(T* re, T* im, int64_t rows, T* work, Pacer* pacer = nullptr) const;

 private:
  struct Stage {
    int64_t factor, rest;     // of what the stages before have left of the length
    std::vector<T> roots;     // of the factor: e^(-2 pi i k / factor), real and imaginary parts in turn
    std::vector<T> twiddles;  // [rest, factor]: e^(-2 pi i q k / (factor * rest)), in the same way
  };

  int64_t length_;
  std::vector<Stage> stages_;
};

}  // namespace onnxrun::cpu
