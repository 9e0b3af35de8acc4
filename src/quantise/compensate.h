// Rounding weights one after the other, each error made up for by the weights that are still to come: what they multiply together decides by how much. E.
// Frantar, S. Ashkboos, T. Hoefler, D. Alistarh: GPTQ, arXiv 2210.17323.
#pragma once

#include <memory>
#include <vector>

#include "quantise/histogram.h"
#include "quantise/matrix.h"

namespace onnxrun::quantise {

// The factor U of the inverse of what was seen, U^T U, by which an error at one place is spread over those after it.
class Compensation {
 public:
  // Null where the sums say nothing, or are of too many places. Throws kDeadline and kLimitExceeded.
  static std::shared_ptr<const Compensation> of(const PairSums& sums, const Allowance& allowance);

  int64_t size() const { return size_; }
  const float* row(int64_t i) const { return &factor_[static_cast<size_t>(i * size_)]; }

 private:
  int64_t size_ = 0;
  base::Charge charge_;
  std::vector<float> factor_;
};

// As encode; each row of the matrix has as many weights as the compensation has places.
Coded encode_compensated(const Matrix& matrix, const Settings& settings, int64_t block, Codes codes,
                         const Compensation& compensation);

}  // namespace onnxrun::quantise
