// ai.onnx.preview.training's Adagrad, Adam and Momentum.
#include "cuda/device/optimizer.h"

#include <cmath>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {
namespace {

class Optimizer {
 public:
  static Acceptance accepts(const Node& node) {
    for (size_t i = 0; i < node.input_count(); ++i)
      if (i != 1 && !is_plain_float(dtype(node.input(i)))) return no_kernel(node);
    return Acceptance().host_input(0).host_input(1);
  }
  explicit Optimizer(const Node& node) {
    const auto number = [&](const char* name, float fallback = 0) {
      return static_cast<double>(node.get_float(name, fallback));
    };
    const bool adam = node.op() == "Adam";
    how_.rule = adam ? TrainingRule::kAdam : node.op() == "Momentum" ? TrainingRule::kMomentum : TrainingRule::kAdagrad;
    how_.norm = number("norm_coefficient"), how_.norm_after = number("norm_coefficient_post");
    how_.alpha = number("alpha", adam ? 0.9f : 0.0f), how_.beta = number("beta", adam ? 0.999f : 0.0f);
    how_.epsilon = number("epsilon", 1e-6f);
    how_.nesterov = node.get_string("mode") == "nesterov";
    decay_ = number("decay_factor");
    states_ = adam ? 2 : 1;
    tensors_ = (node.input_count() - 2) / (2 + states_);
  }

  void run(RunContext& context) const {
    const int64_t t = ints_of(context.input(1))[0];
    TrainingStep how = how_;
    how.rate = rate(float_of(context.input(0)), t);
    // The first step of Momentum takes the gradient whole.
    if (how.rule == TrainingRule::kMomentum && t <= 0) how.beta = 1;
    for (size_t k = 0; k < tensors_; ++k) {
      const auto in = [&](size_t kind) -> const onnxrun_tensor& { return context.input(2 + kind * tensors_ + k); };
      const auto out = [&](size_t kind) {
        return context.has_output(kind * tensors_ + k) ? context.output(kind * tensors_ + k).data : nullptr;
      };
      how.count = provider::count(in(0)), how.type = dtype(in(0));
      how.x = in(0).data, how.gradient = in(1).data, how.new_x = out(0);
      for (size_t s = 0; s < states_; ++s) how.states[s] = in(2 + s).data, how.new_states[s] = out(1 + s);
      launch_training_step(queue_of(context), how);
    }
  }

 private:
  double rate(double r, int64_t t) const {
    const auto count = static_cast<double>(t);
    if (how_.rule == TrainingRule::kAdagrad) return r / (1.0 + count * decay_);
    if (how_.rule == TrainingRule::kMomentum || t <= 0) return r;
    return r * std::sqrt(1.0 - std::pow(how_.beta, count)) / (1.0 - std::pow(how_.alpha, count));
  }

  TrainingStep how_;
  double decay_ = 0;
  size_t states_ = 1, tensors_ = 0;
};

}  // namespace

void kernels_onnx_optimizer(provider::KernelTable& table) {
  for (const char* op : {"Adagrad", "Adam", "Momentum"}) add<Optimizer>(table, "ai.onnx.preview.training", op, "map");
}

}  // namespace onnxrun::cuda
