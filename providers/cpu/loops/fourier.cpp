// Discrete Fourier transforms of any length.
#include "cpu/loops/fourier.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace onnxrun::cpu {
namespace {

// a * b without std::complex's rules for infinities, which cost a call.
inline FourierTransform::Complex times(FourierTransform::Complex a, FourierTransform::Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

FourierTransform::FourierTransform(int64_t length) : length_(length) {
  constexpr int64_t kMost = int64_t{1} << 26;
  if (length < 1 || length > kMost)
    base::fail(base::Code::kLimitExceeded, "a Fourier transform of {} elements (1 to {} are possible)", length, kMost);
  const bool power = std::has_single_bit(static_cast<uint64_t>(length));
  padded_ = power ? length : static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(2 * length - 1)));
  roots_.resize(static_cast<size_t>(padded_ / 2));
  for (size_t k = 0; k < roots_.size(); ++k)
    roots_[k] = std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(padded_));
  if (power) return;
  chirp_.resize(static_cast<size_t>(length));
  for (int64_t k = 0; k < length; ++k) {
    // k^2 modulo 2 * length keeps the angle small and exact.
    const auto turns = static_cast<double>(k * k % (2 * length)) / static_cast<double>(length);
    chirp_[static_cast<size_t>(k)] = std::polar(1.0, -std::numbers::pi * turns);
  }
  response_.assign(static_cast<size_t>(padded_), Complex());
  response_[0] = std::conj(chirp_[0]);
  for (size_t k = 1; k < chirp_.size(); ++k) response_[k] = response_[response_.size() - k] = std::conj(chirp_[k]);
  halving(response_.data(), false);
}

void FourierTransform::halving(Complex* values, bool inverse) const {
  const int64_t n = padded_;
  for (int64_t i = 1, j = 0; i < n; ++i) {
    int64_t bit = n >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
  for (int64_t half = 1; half < n; half *= 2) {
    const int64_t step = n / (2 * half);
    for (int64_t first = 0; first < n; first += 2 * half)
      for (int64_t k = 0; k < half; ++k) {
        const Complex root =
            inverse ? std::conj(roots_[static_cast<size_t>(k * step)]) : roots_[static_cast<size_t>(k * step)];
        const Complex a = values[first + k], b = times(values[first + k + half], root);
        values[first + k] = a + b;
        values[first + k + half] = a - b;
      }
  }
}

void FourierTransform::run(Complex* values, Complex* work, bool inverse) const {
  if (padded_ == length_) return halving(values, inverse);
  // The inverse is the conjugate of the transform of the conjugate.
  for (int64_t k = 0; k < length_; ++k)
    work[k] = times(inverse ? std::conj(values[k]) : values[k], chirp_[static_cast<size_t>(k)]);
  std::fill(work + length_, work + padded_, Complex());
  halving(work, false);
  for (int64_t k = 0; k < padded_; ++k) work[k] = times(work[k], response_[static_cast<size_t>(k)]);
  halving(work, true);
  for (int64_t k = 0; k < length_; ++k) {
    const Complex value = times(work[k], chirp_[static_cast<size_t>(k)]) / static_cast<double>(padded_);
    values[k] = inverse ? std::conj(value) : value;
  }
}

}  // namespace onnxrun::cpu
