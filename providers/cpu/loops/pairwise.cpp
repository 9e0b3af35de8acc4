// Pairwise coupling: minimises p^T Q p over probability vectors, one coordinate after the other.
#include "cpu/loops/pairwise.h"

#include <algorithm>
#include <cmath>

namespace onnxrun::cpu {

void couple_pairs(std::span<const double> pairs, std::span<double> probabilities, std::span<double> work,
                  Pacer* pacer) {
  const size_t n = probabilities.size();
  const std::span<double> q = work.first(n * n), qp = work.subspan(n * n, n);
  for (size_t i = 0; i < n; ++i) {
    double own = 0;
    for (size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      own += pairs[j * n + i] * pairs[j * n + i];
      q[i * n + j] = -pairs[j * n + i] * pairs[i * n + j];
    }
    q[i * n + i] = own;
  }
  std::fill(probabilities.begin(), probabilities.end(), 1.0 / static_cast<double>(n));
  const double tolerance = 0.005 / static_cast<double>(n);
  const size_t rounds = std::max<size_t>(100, n);
  for (size_t round = 0; round < rounds; ++round) {
    if (pacer != nullptr) pacer->did(static_cast<int64_t>(2 * n * n));
    double total = 0;
    for (size_t i = 0; i < n; ++i) {
      qp[i] = 0;
      for (size_t j = 0; j < n; ++j) qp[i] += q[i * n + j] * probabilities[j];
      total += probabilities[i] * qp[i];
    }
    double error = 0;
    for (size_t i = 0; i < n; ++i) error = std::max(error, std::abs(qp[i] - total));
    if (error < tolerance) return;
    for (size_t i = 0; i < n; ++i) {
      const double own = q[i * n + i], step = (total - qp[i]) / own, norm = 1 + step;
      probabilities[i] += step;
      total = (total + step * (step * own + 2 * qp[i])) / (norm * norm);
      for (size_t j = 0; j < n; ++j) {
        qp[j] = (qp[j] + step * q[i * n + j]) / norm;
        probabilities[j] /= norm;
      }
    }
  }
}

}  // namespace onnxrun::cpu
