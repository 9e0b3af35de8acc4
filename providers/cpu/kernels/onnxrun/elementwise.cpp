// Elementwise: the row kernels of its steps, one after the other, on tiles that stay in the first cache; to the last bit what the operators compute one by one in
// float32, which narrower operands are converted to.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "cpu/cpu.h"
#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/convert.h"
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
    const DType type = dtype(node.output(0));
    if (type != DType::kFloat32) {
      load_ = converter(type, DType::kFloat32);
      store_ = converter(DType::kFloat32, type);
      bytes_ = base::dtype_bits(type) / 8;
    }
    const auto dims = provider::dims(node.output(0));
    for (size_t i = 0; i < inputs_; ++i) {
      const auto own = provider::dims(node.input(i));
      const int64_t elements = provider::count(node.input(i));
      forms_[i] = elements == count_ ? Form::kWhole : elements == 1 ? Form::kSingle : Form::kBroadcast;
      if (forms_[i] == Form::kBroadcast) plans_[i] = BroadcastPlan({own}, dims);
      if (load_ == nullptr || forms_[i] == Form::kWhole) continue;
      places_[i] = scratch_floats_;
      counts_[i] = elements;
      scratch_floats_ += elements;
    }
    for (const ElementwiseStep& step : ops::attributes::read_elementwise_steps(node, inputs_))
      steps_.push_back(
          {kernel_of(step.op->name), parameters_of(step), {step.operands[0], step.operands[1]}, step.op->operands});
  }

  size_t scratch_bytes() const { return static_cast<size_t>(base::checked_mul(scratch_floats_, sizeof(float))); }

  void run(RunContext& context) const {
    const char* in[kMaxElementwiseInputs] = {};
    float* scratch = static_cast<float*>(context.scratch());
    for (size_t i = 0; i < inputs_; ++i) {
      in[i] = context.in<char>(i);
      if (load_ == nullptr || forms_[i] == Form::kWhole) continue;
      load_(in[i], scratch + places_[i], counts_[i]);
      in[i] = reinterpret_cast<const char*>(scratch + places_[i]);
    }
    char* out = context.out<char>(0);
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

  // Elements [at, at + n) of the output, from inputs that are float32 but for whole ones.
  void tile(const char* const* in, char* out, int64_t at, int64_t n) const {
    alignas(64) float wide[kMaxElementwiseInputs][kTile];
    alignas(64) float results[kMaxElementwiseSteps][kTile];
    const float* values[kMaxElementwiseInputs + kMaxElementwiseSteps];
    int64_t strides[kMaxElementwiseInputs + kMaxElementwiseSteps];
    for (size_t i = 0; i < inputs_; ++i) {
      const char* from = forms_[i] == Form::kWhole ? in[i] + at * bytes_ : in[i];
      values[i] = reinterpret_cast<const float*>(from);
      strides[i] = forms_[i] != Form::kSingle;
      if (forms_[i] == Form::kSingle || (forms_[i] == Form::kWhole && load_ == nullptr)) continue;
      if (forms_[i] == Form::kWhole) load_(from, wide[i], n);
      else spread(plans_[i], values[i], at, n, wide[i]);
      values[i] = wide[i];
    }
    for (size_t s = 0; s < steps_.size(); ++s) {
      const Step& step = steps_[s];
      Row row{};
      for (int k = 0; k < step.operand_count; ++k) {
        row.in[k] = values[step.operands[k]];
        row.stride[k] = strides[step.operands[k]];
      }
      const bool direct = s + 1 == steps_.size() && store_ == nullptr;
      float* to = direct ? reinterpret_cast<float*>(out + at * bytes_) : results[s];
      row.out = to;
      row.count = n;
      row.parameters = &step.parameters;
      step.kernel(row);
      values[inputs_ + s] = to;
      strides[inputs_ + s] = 1;
    }
    if (store_ != nullptr) store_(results[steps_.size() - 1], out + at * bytes_, n);
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
  Converter load_ = nullptr, store_ = nullptr;  // of narrow floats
  int64_t bytes_ = sizeof(float);               // of an element
  // Where narrow inputs that are no whole ones are widened to, and their elements.
  int64_t places_[kMaxElementwiseInputs] = {}, counts_[kMaxElementwiseInputs] = {}, scratch_floats_ = 0;
  std::vector<Step> steps_;
};

}  // namespace

void kernels_onnxrun_elementwise(provider::KernelTable& table) {
  table.add<Elementwise>("onnxrun", "Elementwise", "tiles");
}

}  // namespace onnxrun::cpu
