// Adagrad, Adam and Momentum: a thread an element, in double.
#include "cuda/device/optimizer.h"

#include <cmath>

#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__global__ void training_step(TrainingStep how) {
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    const auto at = [&](const void* data) { return data == nullptr ? 0.0 : load_number<double>(data, how.type, i); };
    double x = at(how.x), first = at(how.states[0]), second = at(how.states[1]);
    const double g = how.norm * x + at(how.gradient);
    switch (how.rule) {
      case TrainingRule::kAdagrad:
        first += g * g;
        x -= how.rate * g / (sqrt(first) + how.epsilon);
        break;
      case TrainingRule::kAdam:
        first = how.alpha * first + (1.0 - how.alpha) * g;
        second = how.beta * second + (1.0 - how.beta) * g * g;
        x = (1.0 - how.norm_after) * (x - how.rate * first / (sqrt(second) + how.epsilon));
        break;
      case TrainingRule::kMomentum:
        first = how.alpha * first + how.beta * g;
        x -= how.rate * (how.nesterov ? g + how.alpha * first : first);
        break;
    }
    if (how.new_x != nullptr) store_number(how.new_x, how.type, i, x);
    if (how.new_states[0] != nullptr) store_number(how.new_states[0], how.type, i, first);
    if (how.new_states[1] != nullptr) store_number(how.new_states[1], how.type, i, second);
  }
}

}  // namespace

void launch_training_step(const Queue& queue, const TrainingStep& how) {
  if (how.count > 0) launch(queue, training_step, blocks_for(how.count), kThreads, how);
}

}  // namespace onnxrun::cuda
