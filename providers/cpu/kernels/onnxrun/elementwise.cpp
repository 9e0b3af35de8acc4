// Elementwise: the row kernels of its steps, one after the other, on tiles that stay in the first cache; to the last bit what the operators compute one by one.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/cpu.h"
#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/row.h"
#include "ops/attributes/activation.h"
#include "ops/attributes/elementwise_steps.h"

namespace onnxrun::cpu {
namespace {

using ops::ActivationAttributes;
using ops::attributes::ElementwiseStep;
using ops::attributes::kMaxElementwiseInputs;
using ops::attributes::kMaxElementwiseSteps;

constexpr int64_t kTile = 512;

struct Abs {
  static float of(float x) { return std::fabs(x); }
};
struct Neg {
  static float of(float x) { return -x; }
};

// Between alpha and beta; NaN stays.
void clip_row(const Row& row) {
  const auto& limits = *static_cast<const ActivationAttributes*>(row.parameters);
  unary_row<float, float>(row, [low = limits.alpha, high = limits.beta](float x) {
    const float y = x < low ? low : x;
    return y > high ? high : y;
  });
}

RowKernel kernel_of(std::string_view op) {
  if (op == "Abs") return unary_kernel<Abs, float>;
  if (op == "Neg") return unary_kernel<Neg, float>;
  if (op == "Clip") return clip_row;
  return simd::float_row(op);
}

class Elementwise {
 public:
  static Acceptance accepts(const Node& node) {
    for (const ElementwiseStep& step : ops::attributes::read_elementwise_steps(node, node.input_count()))
      if (kernel_of(step.op->name) == nullptr)
        return Acceptance::decline(fmt::format("no fast {} at this instruction set level", step.op->name));
    Acceptance result;
    for (size_t i = 0; i < node.input_count(); ++i) result.alias(static_cast<int32_t>(i), 0);
    return result;
  }

  explicit Elementwise(const Node& node) : count_(provider::count(node.output(0))), inputs_(node.input_count()) {
    const auto dims = provider::dims(node.output(0));
    for (size_t i = 0; i < inputs_; ++i) {
      const auto own = provider::dims(node.input(i));
      const int64_t elements = provider::count(node.input(i));
      forms_[i] = elements == count_ ? Form::kWhole : elements == 1 ? Form::kSingle : Form::kBroadcast;
      if (forms_[i] == Form::kBroadcast) plans_[i] = BroadcastPlan({own}, dims);
    }
    for (const ElementwiseStep& step : ops::attributes::read_elementwise_steps(node, inputs_))
      steps_.push_back(
          {kernel_of(step.op->name), parameters_of(step), {step.operands[0], step.operands[1]}, step.op->operands});
  }

  void run(RunContext& context) const {
    const float* in[kMaxElementwiseInputs] = {};
    for (size_t i = 0; i < inputs_; ++i) in[i] = context.in<float>(i);
    float* out = context.out<float>(0);
    const int64_t tiles = (count_ + kTile - 1) / kTile;
    parallel_polled(context, tiles, kTile * 8 * static_cast<int64_t>(steps_.size()), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) tile(in, out, t * kTile, std::min(kTile, count_ - t * kTile));
    });
  }

 private:
  enum class Form : uint8_t { kWhole, kSingle, kBroadcast };
  struct Step {
    RowKernel kernel;
    ActivationAttributes parameters;
    int64_t operands[2];
    int operand_count;
  };

  static ActivationAttributes parameters_of(const ElementwiseStep& step) {
    ActivationAttributes result;
    result.alpha = step.alpha;
    result.beta = step.beta;
    return result;
  }

  // Elements [at, at + n) of the output.
  void tile(const float* const* in, float* out, int64_t at, int64_t n) const {
    alignas(64) float wide[kMaxElementwiseInputs][kTile];
    alignas(64) float results[kMaxElementwiseSteps][kTile];
    const float* values[kMaxElementwiseInputs + kMaxElementwiseSteps];
    int64_t strides[kMaxElementwiseInputs + kMaxElementwiseSteps];
    for (size_t i = 0; i < inputs_; ++i) {
      values[i] = forms_[i] == Form::kWhole ? in[i] + at : in[i];
      strides[i] = forms_[i] != Form::kSingle;
      if (forms_[i] == Form::kBroadcast) {
        spread(plans_[i], in[i], at, n, wide[i]);
        values[i] = wide[i];
      }
    }
    for (size_t s = 0; s < steps_.size(); ++s) {
      const Step& step = steps_[s];
      Row row{};
      for (int k = 0; k < step.operand_count; ++k) {
        row.in[k] = values[step.operands[k]];
        row.stride[k] = strides[step.operands[k]];
      }
      float* to = s + 1 == steps_.size() ? out + at : results[s];
      row.out = to;
      row.count = n;
      row.parameters = &step.parameters;
      step.kernel(row);
      values[inputs_ + s] = to;
      strides[inputs_ + s] = 1;
    }
  }

  static void spread(const BroadcastPlan& plan, const float* from, int64_t at, int64_t n, float* to) {
    plan.each_row(at, at + n, [&](const int64_t* offsets, int64_t place, int64_t count) {
      float* here = to + (place - at);
      if (plan.row_stride(0) == 0) std::fill_n(here, count, from[offsets[0]]);
      else std::copy_n(from + offsets[0], count, here);
    });
  }

  int64_t count_;
  size_t inputs_;
  Form forms_[kMaxElementwiseInputs] = {};
  BroadcastPlan plans_[kMaxElementwiseInputs];
  std::vector<Step> steps_;
};

}  // namespace

void kernels_onnxrun_elementwise(provider::KernelTable& table) {
  table.add<Elementwise>("onnxrun", "Elementwise", "tiles");
}

}  // namespace onnxrun::cpu
