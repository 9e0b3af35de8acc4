// The fast Fourier transform of lengths that are products of small primes.
#include "cpu/loops/mixed_radix.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace onnxrun::cpu {
namespace {

constexpr int64_t kLargestFactor = 31;

// Fours first, a two before them, then the odd primes in order.
std::vector<int64_t> factors_of(int64_t length) {
  std::vector<int64_t> factors;
  for (; length % 4 == 0; length /= 4) factors.push_back(4);
  if (length % 2 == 0) {
    factors.insert(factors.begin(), 2);
    length /= 2;
  }
  for (int64_t p = 3; p <= kLargestFactor; p += 2)
    for (; length % p == 0; length /= p) factors.push_back(p);
  if (length > 1) factors.push_back(length);
  return factors;
}

// Element j of the butterfly's input or output, `width` values of each part.
template <class T>
struct Parts {
  T* re;
  T* im;
  int64_t apart;

  T* real(int64_t j) const { return re + j * apart; }
  T* imag(int64_t j) const { return im + j * apart; }
};

// to = value * (w[0] + i w[1]); w null: value.
template <class T>
inline void store(T* re, T* im, T a, T b, const T* w) {
  *re = w == nullptr ? a : a * w[0] - b * w[1];
  *im = w == nullptr ? b : a * w[1] + b * w[0];
}

template <class T>
const T* twiddle(const T* twiddles, int64_t k) {
  return twiddles == nullptr ? nullptr : twiddles + 2 * k;
}

template <class T>
void butterfly2(Parts<const T> x, Parts<T> y, int64_t width, const T* w) {
  for (int64_t r = 0; r < width; ++r) {
    const T ar = x.real(0)[r], ai = x.imag(0)[r], br = x.real(1)[r], bi = x.imag(1)[r];
    store<T>(y.real(0) + r, y.imag(0) + r, ar + br, ai + bi, nullptr);
    store(y.real(1) + r, y.imag(1) + r, ar - br, ai - bi, twiddle(w, 1));
  }
}

template <class T>
void butterfly4(Parts<const T> x, Parts<T> y, int64_t width, const T* w) {
  for (int64_t r = 0; r < width; ++r) {
    const T sum02r = x.real(0)[r] + x.real(2)[r], sum02i = x.imag(0)[r] + x.imag(2)[r];
    const T dif02r = x.real(0)[r] - x.real(2)[r], dif02i = x.imag(0)[r] - x.imag(2)[r];
    const T sum13r = x.real(1)[r] + x.real(3)[r], sum13i = x.imag(1)[r] + x.imag(3)[r];
    const T dif13r = x.real(1)[r] - x.real(3)[r], dif13i = x.imag(1)[r] - x.imag(3)[r];
    store<T>(y.real(0) + r, y.imag(0) + r, sum02r + sum13r, sum02i + sum13i, nullptr);
    store(y.real(1) + r, y.imag(1) + r, dif02r + dif13i, dif02i - dif13r, twiddle(w, 1));
    store(y.real(2) + r, y.imag(2) + r, sum02r - sum13r, sum02i - sum13i, twiddle(w, 2));
    store(y.real(3) + r, y.imag(3) + r, dif02r - dif13i, dif02i + dif13r, twiddle(w, 3));
  }
}

// An odd factor P: pairs of inputs j and P - j share their products.
template <class T, int P>
void butterfly(Parts<const T> x, Parts<T> y, int64_t width, const T* w, const T* roots) {
  constexpr int kHalf = (P - 1) / 2;
  for (int64_t r = 0; r < width; ++r) {
    const T first_r = x.real(0)[r], first_i = x.imag(0)[r];
    T sum_r[kHalf], sum_i[kHalf], dif_r[kHalf], dif_i[kHalf];
    T total_r = first_r, total_i = first_i;
    for (int j = 0; j < kHalf; ++j) {
      const T ar = x.real(j + 1)[r], ai = x.imag(j + 1)[r], br = x.real(P - 1 - j)[r], bi = x.imag(P - 1 - j)[r];
      sum_r[j] = ar + br;
      sum_i[j] = ai + bi;
      dif_r[j] = ar - br;
      dif_i[j] = ai - bi;
      total_r += sum_r[j];
      total_i += sum_i[j];
    }
    store<T>(y.real(0) + r, y.imag(0) + r, total_r, total_i, nullptr);
    for (int k = 1; k <= kHalf; ++k) {
      T even_r = first_r, even_i = first_i, odd_r = 0, odd_i = 0;
      for (int j = 1; j <= kHalf; ++j) {
        const T* root = roots + 2 * (j * k % P);
        even_r += root[0] * sum_r[j - 1];
        even_i += root[0] * sum_i[j - 1];
        odd_r += root[1] * dif_r[j - 1];
        odd_i += root[1] * dif_i[j - 1];
      }
      store(y.real(k) + r, y.imag(k) + r, even_r - odd_i, even_i + odd_r, twiddle(w, k));
      store(y.real(P - k) + r, y.imag(P - k) + r, even_r + odd_i, even_i - odd_r, twiddle(w, P - k));
    }
  }
}

template <class T>
void stage_step(int64_t factor, Parts<const T> x, Parts<T> y, int64_t width, const T* w, const T* roots) {
  switch (factor) {
    case 2: return butterfly2(x, y, width, w);
    case 3: return butterfly<T, 3>(x, y, width, w, roots);
    case 4: return butterfly4(x, y, width, w);
    case 5: return butterfly<T, 5>(x, y, width, w, roots);
    case 7: return butterfly<T, 7>(x, y, width, w, roots);
    case 11: return butterfly<T, 11>(x, y, width, w, roots);
    case 13: return butterfly<T, 13>(x, y, width, w, roots);
    case 17: return butterfly<T, 17>(x, y, width, w, roots);
    case 19: return butterfly<T, 19>(x, y, width, w, roots);
    case 23: return butterfly<T, 23>(x, y, width, w, roots);
    case 29: return butterfly<T, 29>(x, y, width, w, roots);
    default: return butterfly<T, 31>(x, y, width, w, roots);
  }
}

template <class T>
void add_root(std::vector<T>& to, int64_t k, int64_t n) {
  const auto root = unit_root(k, n);
  to.push_back(static_cast<T>(root.real()));
  to.push_back(static_cast<T>(root.imag()));
}

}  // namespace

bool has_small_factors(int64_t length) {
  for (int64_t p = 2; p <= kLargestFactor; ++p)
    while (length % p == 0) length /= p;
  return length == 1;
}

std::complex<double> unit_root(int64_t k, int64_t n) {
  // Within an eighth of a turn of the nearest quarter.
  const int64_t quarter = (8 * k + n) / (2 * n) % 4, off = 4 * k - n * ((8 * k + n) / (2 * n));
  const double angle = -std::numbers::pi * static_cast<double>(off) / static_cast<double>(2 * n);
  const double c = std::cos(angle), s = std::sin(angle);
  switch (quarter) {
    case 0: return {c, s};
    case 1: return {s, -c};
    case 2: return {-c, -s};
    default: return {-s, c};
  }
}

template <class T>
MixedRadix<T>::MixedRadix(int64_t length, Pacer* pacer) : length_(length) {
  int64_t left = length;
  for (const int64_t factor : factors_of(length)) {
    Stage stage{factor, left / factor, {}, {}};
    for (int64_t k = 0; k < factor; ++k) add_root(stage.roots, k, factor);
    for (int64_t q = 0; q < stage.rest; ++q) {
      if (pacer != nullptr) pacer->did(factor * kRootSteps);
      for (int64_t k = 0; k < factor; ++k) add_root(stage.twiddles, q * k % left, left);
    }
    left = stage.rest;
    stages_.push_back(std::move(stage));
  }
}

template <class T>
void MixedRadix<T>::run(T* re, T* im, int64_t rows, T* work, Pacer* pacer) const {
  T *from_re = re, *from_im = im, *to_re = work, *to_im = work + length_ * rows;
  int64_t width = rows;
  for (const Stage& stage : stages_) {
    for (int64_t q = 0; q < stage.rest; ++q) {
      if (pacer != nullptr) pacer->did(width * stage.factor);
      const Parts<const T> x{from_re + width * q, from_im + width * q, width * stage.rest};
      const Parts<T> y{to_re + width * stage.factor * q, to_im + width * stage.factor * q, width};
      stage_step<T>(stage.factor, x, y, width, q == 0 ? nullptr : stage.twiddles.data() + 2 * stage.factor * q,
                    stage.roots.data());
    }
    width *= stage.factor;
    std::swap(from_re, to_re);
    std::swap(from_im, to_im);
  }
  if (from_re != re) {
    std::copy_n(from_re, length_ * rows, re);
    std::copy_n(from_im, length_ * rows, im);
  }
}

template class MixedRadix<float>;
template class MixedRadix<double>;

}  // namespace onnxrun::cpu
