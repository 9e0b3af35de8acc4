// NegativeLogLikelihoodLoss, in double: a thread a label where each has its result, one block where they are summed.
#include "cuda/device/loss.h"

#include "cuda/device/block.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

struct Loss {
  double loss = 0, weight = 0;
};
__device__ Loss loss_of(const LikelihoodLoss& how, const void* x, int64_t i) {
  const int64_t label =
      how.wide_labels ? static_cast<const int64_t*>(how.labels)[i] : static_cast<const int32_t*>(how.labels)[i];
  if (how.ignores && label == how.ignored) return {};
  if (label < 0 || label >= how.classes) {
    set(how.report);
    return {};
  }
  const double weight = how.weights == nullptr ? 1.0 : load_number<double>(how.weights, how.type, label);
  const int64_t at = (i / how.inner * how.classes + label) * how.inner + i % how.inner;
  return {-load_number<double>(x, how.type, at) * weight, weight};
}

__global__ void each_loss(LikelihoodLoss how, const void* x, void* y) {
  for (int64_t i = first_item(); i < how.outer * how.inner; i += item_step())
    store_number(y, how.type, i, loss_of(how, x, i).loss);
}

__global__ void whole_loss(LikelihoodLoss how, const void* x, void* y) {
  double total = 0, weights = 0;
  for (int64_t i = threadIdx.x; i < how.outer * how.inner; i += blockDim.x) {
    const Loss one = loss_of(how, x, i);
    total += one.loss;
    weights += one.weight;
  }
  total = sum_block(total);
  weights = sum_block(weights);
  if (threadIdx.x == 0) store_number(y, how.type, 0, how.reduction == LossReduction::kSum ? total : total / weights);
}

}  // namespace

void launch_likelihood_loss(const Queue& queue, const LikelihoodLoss& how, const void* x, void* y) {
  const int64_t count = how.outer * how.inner;
  if (how.reduction != LossReduction::kNone) launch(queue, whole_loss, 1, 256, how, x, y);
  else if (count > 0) launch(queue, each_loss, blocks_for(count), kThreads, how, x, y);
}

}  // namespace onnxrun::cuda
