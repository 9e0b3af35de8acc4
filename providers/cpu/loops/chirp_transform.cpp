// The Fourier transform of lengths with a large prime factor.
#include "cpu/loops/chirp_transform.h"

#include <algorithm>
#include <bit>

namespace onnxrun::cpu {
namespace {

int64_t padded(int64_t length) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(2 * length - 1))); }

}  // namespace

ChirpTransform::ChirpTransform(int64_t length, Pacer* pacer)
    : length_(length),
      padded_(padded(length)),
      padded_transform_(padded_, pacer),
      response_re_(static_cast<size_t>(padded_)),
      response_im_(static_cast<size_t>(padded_)) {
  // k^2 modulo 2 * length keeps the angle small and exact.
  for (int64_t k = 0; k < length; ++k) {
    if (pacer != nullptr) pacer->did(kRootSteps);
    chirp_.push_back(unit_root(k * k % (2 * length), 2 * length));
  }
  for (int64_t k = 0; k < length; ++k) {
    const auto value = std::conj(chirp_[static_cast<size_t>(k)]);
    for (const int64_t at : {k, (padded_ - k) % padded_}) {
      response_re_[static_cast<size_t>(at)] = value.real();
      response_im_[static_cast<size_t>(at)] = value.imag();
    }
  }
  std::vector<double> work(static_cast<size_t>(2 * padded_));
  padded_transform_.run(response_re_.data(), response_im_.data(), 1, work.data(), pacer);
}

size_t ChirpTransform::work_bytes(int64_t length) { return sizeof(double) * static_cast<size_t>(4 * padded(length)); }

template <class T>
void ChirpTransform::run(T* re, T* im, int64_t apart, void* work, Pacer* pacer) const {
  using Complex = std::complex<double>;
  double *a = static_cast<double*>(work), *b = a + padded_, *rest = b + padded_;
  // std::complex's product has rules for infinities that cost a call.
  const auto times = [](Complex x, Complex y) {
    return Complex(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real());
  };
  for (int64_t k = 0; k < length_; ++k) {
    const Complex value =
        times({static_cast<double>(re[k * apart]), static_cast<double>(im[k * apart])}, chirp_[static_cast<size_t>(k)]);
    a[k] = value.real();
    b[k] = value.imag();
  }
  std::fill(a + length_, a + padded_, 0.0);
  std::fill(b + length_, b + padded_, 0.0);
  padded_transform_.run(a, b, 1, rest, pacer);
  for (int64_t k = 0; k < padded_; ++k) {
    const auto i = static_cast<size_t>(k);
    const Complex value = times({a[k], b[k]}, {response_re_[i], response_im_[i]});
    a[k] = value.real();
    b[k] = value.imag();
  }
  padded_transform_.run(b, a, 1, rest, pacer);  // the inverse
  for (int64_t k = 0; k < length_; ++k) {
    const Complex value = times({a[k], b[k]}, chirp_[static_cast<size_t>(k)]) / static_cast<double>(padded_);
    re[k * apart] = static_cast<T>(value.real());
    im[k * apart] = static_cast<T>(value.imag());
  }
}

template void ChirpTransform::run<float>(float*, float*, int64_t, void*, Pacer*) const;
template void ChirpTransform::run<double>(double*, double*, int64_t, void*, Pacer*) const;

}  // namespace onnxrun::cpu
