// Discrete Fourier transforms of any length in double: powers of two by halving, others as a convolution (Bluestein's algorithm).
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

namespace onnxrun::cpu {

class FourierTransform {
 public:
  using Complex = std::complex<double>;

  FourierTransform() = default;
  // `length` >= 1. Throws kLimitExceeded where tables would overflow.
  explicit FourierTransform(int64_t length);

  int64_t length() const { return length_; }
  int64_t work_size() const { return length_ == padded_ ? 0 : padded_; }  // elements of `work`

  // Transforms `values` in place, forward (e^-) or, unscaled, inverse (e^+).
  void run(Complex* values, Complex* work, bool inverse) const;

 private:
  void halving(Complex* values, bool inverse) const;

  int64_t length_ = 0;
  int64_t padded_ = 0;             // power of two
  std::vector<Complex> roots_;     // e^(-2 pi i k / padded), k < padded / 2
  std::vector<Complex> chirp_;     // e^(-pi i k^2 / length)
  std::vector<Complex> response_;  // the transform of the conjugate chirp
};

}  // namespace onnxrun::cpu
