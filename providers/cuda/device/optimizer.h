// One step of training by Adagrad, Adam or Momentum.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

enum class TrainingRule { kAdagrad, kAdam, kMomentum };

// Numbers are those of the operators' attributes; `rate` is the learning rate of this step.
struct TrainingStep {
  TrainingRule rule = TrainingRule::kMomentum;
  double rate = 0, norm = 0, norm_after = 0, alpha = 0, beta = 0, epsilon = 0;
  bool nesterov = false;
  int64_t count = 0;
  base::DType type = base::DType::kFloat32;  // of all tensors: float32 or float64
  // Values, gradients and up to two states, before and after; outputs may be null.
  const void* x = nullptr;
  const void* gradient = nullptr;
  const void* states[2] = {};
  void* new_x = nullptr;
  void* new_states[2] = {};
};
void launch_training_step(const Queue& queue, const TrainingStep& how);

}  // namespace onnxrun::cuda
