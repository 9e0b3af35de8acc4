// Fourier transforms against sums in long double.
#include "cpu/loops/fourier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "base/error.h"

namespace onnxrun::cpu {
namespace {

using Wide = std::complex<long double>;

std::vector<Wide> plain(const std::vector<Wide>& x, bool inverse) {
  const auto n = x.size();
  std::vector<Wide> y(n), roots(n);
  for (size_t k = 0; k < n; ++k) {
    const long double angle =
        2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / static_cast<long double>(n);
    roots[k] = {std::cos(angle), inverse ? std::sin(angle) : -std::sin(angle)};
  }
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < n; ++j) y[k] += x[j] * roots[j * k % n];
  return y;
}

// The largest difference from plain sums, over the norm of the values.
template <class T>
double error(int64_t length, int64_t rows, bool inverse) {
  const auto size = static_cast<size_t>(length * rows);
  std::vector<T> re(size), im(size);
  for (size_t i = 0; i < size; ++i) {
    re[i] = static_cast<T>(std::sin(1.0 + 3.7 * static_cast<double>(i * i % 1009)));
    im[i] = static_cast<T>(std::cos(2.0 + 1.3 * static_cast<double>(i * i % 811)));
  }
  const auto re_before = re, im_before = im;
  std::vector<double> work(FourierTransform<T>::work_bytes(length, rows) / sizeof(double) + 1);
  FourierTransform<T>(length).run(re.data(), im.data(), rows, inverse, work.data());
  double worst = 0;
  for (int64_t r = 0; r < rows; ++r) {
    std::vector<Wide> x;
    for (int64_t k = 0; k < length; ++k) {
      const auto at = static_cast<size_t>(k * rows + r);
      x.emplace_back(re_before[at], im_before[at]);
    }
    const auto y = plain(x, inverse);
    long double norm = 0;
    for (const Wide& value : x) norm += std::norm(value);
    for (int64_t k = 0; k < length; ++k) {
      const auto at = static_cast<size_t>(k * rows + r);
      const Wide difference = y[static_cast<size_t>(k)] - Wide(re[at], im[at]);
      worst = std::max(worst, static_cast<double>(std::abs(difference) / std::sqrt(norm)));
    }
  }
  return worst;
}

TEST(Fourier, EveryLengthIsAsExactAsItsType) {
  for (const bool inverse : {false, true})
    for (int64_t length = 1; length <= 150; ++length) {
      EXPECT_LT(error<float>(length, 3, inverse), 2e-6) << length;
      EXPECT_LT(error<double>(length, 1, inverse), 4e-15) << length;
    }
  for (const int64_t length : {400, 512, 961, 1000, 1009}) {
    EXPECT_LT(error<float>(length, 2, false), 4e-6) << length;
    EXPECT_LT(error<double>(length, 2, true), 8e-15) << length;
  }
}

TEST(Fourier, RootsAreExactAtTheQuarters) {
  for (const int64_t n : {4, 12, 1 << 20}) {
    EXPECT_EQ(unit_root(0, n), (std::complex<double>{1, 0}));
    EXPECT_EQ(unit_root(n / 4, n), (std::complex<double>{0, -1}));
    EXPECT_EQ(unit_root(n / 2, n), (std::complex<double>{-1, 0}));
    EXPECT_EQ(unit_root(3 * n / 4, n), (std::complex<double>{0, 1}));
  }
  for (int64_t k = 0; k < 45; ++k) {
    const long double angle = -2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / 45;
    EXPECT_NEAR(unit_root(k, 45).real(), static_cast<double>(std::cos(angle)), 4e-16);
    EXPECT_NEAR(unit_root(k, 45).imag(), static_cast<double>(std::sin(angle)), 4e-16);
  }
}

TEST(Fourier, TablesThatWouldNotFitAreRefused) {
  EXPECT_THROW(FourierTransform<float>((int64_t{1} << 26) + 1), base::Error);
  EXPECT_THROW(FourierTransform<float>(0), base::Error);
}

}  // namespace
}  // namespace onnxrun::cpu
