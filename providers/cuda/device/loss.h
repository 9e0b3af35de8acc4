// NegativeLogLikelihoodLoss.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

enum class LossReduction { kNone, kSum, kMean };

// x[outer, classes, inner] and labels[outer, inner]: -x of the label, times the label's weight; alone, summed, or divided by the weights' sum.
struct LikelihoodLoss {
  int64_t outer = 0, classes = 0, inner = 1;
  bool ignores = false;
  int64_t ignored = 0;  // a label that counts for nothing
  LossReduction reduction = LossReduction::kMean;
  base::DType type = base::DType::kFloat32;  // a float type, of x, weights and y
  const void* weights = nullptr;             // or null
  const void* labels = nullptr;
  bool wide_labels = true;  // int64, else int32
  Report report;            // of a label that is no class
};
void launch_likelihood_loss(const Queue& queue, const LikelihoodLoss& how, const void* x, void* y);

}  // namespace onnxrun::cuda
