// Discrete Fourier transforms: which algorithm takes which length.
#include "cpu/loops/fourier.h"

#include <utility>

#include "base/error.h"
#include "base/kernel_memory.h"

namespace onnxrun::cpu {

namespace {

// Of the roots of unity, and where a length is padded of its chirp and that one's transform, with the memory to make it.
template <class T>
int64_t table_bytes(int64_t length) {
  constexpr auto kComplex = static_cast<int64_t>(2 * sizeof(double));
  if (has_small_factors(length)) return length * static_cast<int64_t>(3 * sizeof(T));
  return static_cast<int64_t>(ChirpTransform::work_bytes(length)) * 5 / 4 + length * kComplex;
}

}  // namespace

template <class T>
FourierTransform<T>::FourierTransform(int64_t length, Pacer* pacer) : length_(length) {
  constexpr int64_t kMost = int64_t{1} << 26;
  if (length < 1 || length > kMost)
    base::fail(base::Code::kLimitExceeded, "a Fourier transform of {} elements (1 to {} are possible)", length, kMost);
  base::take_kernel_memory(table_bytes<T>(length));
  if (has_small_factors(length)) radix_.emplace(length, pacer);
  else chirp_.emplace(length, pacer);
}

template <class T>
size_t FourierTransform<T>::work_bytes(int64_t length, int64_t rows) {
  return has_small_factors(length) ? static_cast<size_t>(2 * length * rows) * sizeof(T)
                                   : ChirpTransform::work_bytes(length);
}

template <class T>
void FourierTransform<T>::run(T* re, T* im, int64_t rows, bool inverse, void* work, Pacer* pacer) const {
  // The inverse is the transform with real and imaginary parts exchanged, before and after.
  if (inverse) std::swap(re, im);
  if (radix_) return radix_->run(re, im, rows, static_cast<T*>(work), pacer);
  for (int64_t row = 0; row < rows; ++row) chirp_->run(re + row, im + row, rows, work, pacer);
}

template class FourierTransform<float>;
template class FourierTransform<double>;

}  // namespace onnxrun::cpu
