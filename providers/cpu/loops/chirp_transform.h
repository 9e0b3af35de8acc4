// The Fourier transform of lengths with a large prime factor, as a convolution with a chirp (Bluestein's algorithm), in double.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "cpu/loops/mixed_radix.h"

namespace onnxrun::cpu {

class ChirpTransform {
 public:
  // Here and below `pacer`, where given, ends the work of a cancelled run.
  explicit ChirpTransform(int64_t length, Pacer* pacer = nullptr);

  static size_t work_bytes(int64_t length);

  // Transforms re[k * apart], im[k * apart] for k < length in place, with e^-. `work` has work_bytes.
  template <class T>
  void run(T* re, T* im, int64_t apart, void* work, Pacer* pacer = nullptr) const;

 private:
  int64_t length_, padded_;  // padded: a power of two
  MixedRadix<double> padded_transform_;
  std::vector<std::complex<double>> chirp_;        // e^(-pi i k^2 / length)
  std::vector<double> response_re_, response_im_;  // the transform of the conjugate chirp
};

}  // namespace onnxrun::cpu
