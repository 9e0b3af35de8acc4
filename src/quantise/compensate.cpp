// Rounding with compensation.
#include "quantise/compensate.h"

#include <algorithm>
#include <cmath>

namespace onnxrun::quantise {
namespace {

constexpr int64_t kMostPlaces = 4096;  // the work grows with the third power
constexpr double kDamping =
    0.01;  // of the mean square, added to each; the more, the fewer rows were seen of each place

// R of H = R R^T, upper; in place. False where H is not positive definite.
bool factorise(std::vector<double>& h, int64_t n, const Allowance& allowance) {
  const auto at = [&](int64_t i, int64_t j) -> double& { return h[static_cast<size_t>(i * n + j)]; };
  for (int64_t j = n - 1; j >= 0; --j) {
    allowance.check();
    double diagonal = at(j, j);
    for (int64_t k = j + 1; k < n; ++k) diagonal -= at(j, k) * at(j, k);
    if (!(diagonal > 0) || !std::isfinite(diagonal)) return false;
    const double root = std::sqrt(diagonal);
    at(j, j) = root;
    const double* own = &h[static_cast<size_t>(j * n)];
    for (int64_t i = 0; i < j; ++i) {
      double* other = &h[static_cast<size_t>(i * n)];
      double sum = other[j];
      for (int64_t k = j + 1; k < n; ++k) sum -= other[k] * own[k];
      other[j] = sum / root;
    }
  }
  return true;
}

// The inverse of an upper triangle.
std::vector<float> inverse_of(const std::vector<double>& r, int64_t n, const Allowance& allowance) {
  const base::Charge room = allowance.charge(static_cast<int64_t>(r.size() * sizeof(double)));
  std::vector<double> result(r.size(), 0.0);
  for (int64_t i = n - 1; i >= 0; --i) {
    allowance.check();
    double* row = &result[static_cast<size_t>(i * n)];
    const double* from = &r[static_cast<size_t>(i * n)];
    row[i] = 1;
    for (int64_t k = i + 1; k < n; ++k) {
      const double* other = &result[static_cast<size_t>(k * n)];
      for (int64_t j = k; j < n; ++j) row[j] -= from[k] * other[j];
    }
    for (int64_t j = i; j < n; ++j) row[j] /= from[i];
  }
  return std::vector<float>(result.begin(), result.end());
}

}  // namespace

std::shared_ptr<const Compensation> Compensation::of(const PairSums& sums, const Allowance& allowance) {
  const int64_t n = sums.size;
  if (n == 0 || n > kMostPlaces || sums.count == 0) return nullptr;
  const base::Charge room = allowance.charge(n * n * static_cast<int64_t>(sizeof(double)));
  std::vector<double> h(static_cast<size_t>(n * n));
  double mean = 0;
  for (int64_t i = 0; i < n; ++i) mean += sums.at(i, i) / static_cast<double>(n);
  if (!(mean > 0) || !std::isfinite(mean)) return nullptr;
  const double damping = kDamping * std::max(1.0, static_cast<double>(n) / static_cast<double>(sums.count));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j)
      h[static_cast<size_t>(i * n + j)] = h[static_cast<size_t>(j * n + i)] =
          sums.at(i, j) / mean + (i == j ? damping : 0);
  if (!factorise(h, n, allowance)) return nullptr;
  auto result = std::make_shared<Compensation>();
  result->size_ = n;
  result->charge_ = allowance.charge(n * n * static_cast<int64_t>(sizeof(float)));
  result->factor_ = inverse_of(h, n, allowance);
  return result;
}

Coded encode_compensated(const Matrix& matrix, const Settings& settings, int64_t block, Codes codes,
                         const Compensation& compensation) {
  const GridSearch search = search_for(settings, codes);
  const base::Charge room = charge_codes(matrix, settings.allowance);
  Coded result = empty_code(matrix, search, block);
  std::vector<float> weights(static_cast<size_t>(matrix.length));
  for (int64_t r = 0; r < matrix.rows; ++r) {
    settings.allowance.check();
    std::ranges::copy(matrix.row(r), weights.begin());
    int16_t* to = &result.codes[static_cast<size_t>(r * matrix.length)];
    Grid grid;
    for (int64_t k = 0; k < matrix.length; ++k) {
      if (k % result.block == 0) {
        const int64_t count = std::min(result.block, matrix.length - k);
        grid = find_grid(std::span(weights).subspan(static_cast<size_t>(k), static_cast<size_t>(count)), {}, search);
        result.grids[static_cast<size_t>(r * result.blocks() + k / result.block)] = grid;
        result.zeros = result.zeros || grid.zero != search.middle;
      }
      const float weight = weights[static_cast<size_t>(k)];
      to[k] = static_cast<int16_t>(code_of(weight, grid, search.range));
      const float* factor = compensation.row(k);
      const float apart = (weight - static_cast<float>(to[k] - grid.zero) * grid.scale) / factor[k];
      for (int64_t j = k + 1; j < matrix.length; ++j) weights[static_cast<size_t>(j)] -= apart * factor[j];
    }
  }
  measure(result, matrix);
  return result;
}

}  // namespace onnxrun::quantise
