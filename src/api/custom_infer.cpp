// Handing facts to a caller's inference function and taking its answers.
#include "api/custom_infer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "plan/node_view.h"

namespace onnxrun::api {
namespace {

using base::Code;

constexpr int32_t kMaxRank = 64;

// Sizes that are not known yet, as numbers below -1.
class OpenDims {
 public:
  int64_t number_of(const ir::Dim& dim) {
    if (dim.is_constant()) return dim.value();
    if (dim.is_unknown()) return -1;
    const auto found = std::find(dims_.begin(), dims_.end(), dim);
    const auto index = found - dims_.begin();
    if (found == dims_.end()) dims_.push_back(dim);
    return -2 - static_cast<int64_t>(index);
  }
  // False for a number that stands for nothing.
  bool find(int64_t number, ir::Dim& out) const {
    if (number >= -1) {
      out = number == -1 ? ir::Dim() : ir::Dim(number);
      return true;
    }
    // -2 - number does not overflow: number is negative.
    const auto index = static_cast<uint64_t>(-(number + 2));
    if (index >= dims_.size()) return false;
    out = dims_[index];
    return true;
  }

 private:
  std::vector<ir::Dim> dims_;
};

void say(onnxrun_sink* sink, const char* text) {
  if (sink && sink->write) sink->write(sink->context, text, std::strlen(text));
}

struct Call : onnxrun_infer_call {
  explicit Call(ir::InferContext& c) : context(c), given(c.output_count(), false) {}
  ir::InferContext& context;
  OpenDims open;
  std::vector<bool> given;

  // Called by the operator: must not throw.
  static onnxrun_code take(onnxrun_infer_call* base, size_t index, int32_t dtype, const int64_t* dims, int32_t rank,
                           onnxrun_sink* error) noexcept try {
    Call& call = *static_cast<Call*>(base);
    if (index >= call.given.size()) return ONNXRUN_OK;
    const auto refuse = [&](const char* why) {
      say(error, why);
      return ONNXRUN_INVALID_ARGUMENT;
    };
    if (!base::is_dtype(dtype)) return refuse("set_output: the type is no element type");
    if (rank > kMaxRank || (rank > 0 && dims == nullptr)) return refuse("set_output: the rank does not fit the dims");
    std::optional<ir::Shape> shape;
    if (rank >= 0) {
      shape.emplace();
      for (int32_t i = 0; i < rank; ++i) {
        ir::Dim dim;
        if (!call.open.find(dims[i], dim)) return refuse("set_output: a dim is negative and none of those handed in");
        shape->push_back(std::move(dim));
      }
    }
    call.context.set(index, static_cast<base::DType>(dtype), std::move(shape));
    call.given[index] = true;
    return ONNXRUN_OK;
  } catch (...) {
    say(error, "set_output: out of memory");
    return ONNXRUN_LIMIT_EXCEEDED;
  }
};

}  // namespace

const CustomOp& CustomOp::of(const ir::OpDef& def) {
  static_assert(std::is_standard_layout_v<Domain>);
  return *reinterpret_cast<const Domain*>(def.domain - offsetof(Domain, text))->op;
}

void infer_custom(ir::InferContext& context) {
  const CustomOp& op = CustomOp::of(*context.node().op);
  // Asking is what lets the planner wait for a value.
  for (size_t i = 0; i < context.input_count() && i < 64; ++i)
    if (op.value_inputs >> i & 1) (void)context.constant(i);

  std::vector<const ir::Fact*> inputs, outputs;
  for (size_t i = 0; i < context.input_count(); ++i)
    inputs.push_back(context.has_input(i) ? &context.input(i) : nullptr);
  const ir::Fact nothing;
  for (size_t i = 0; i < context.output_count(); ++i) outputs.push_back(context.has_output(i) ? &nothing : nullptr);
  const plan::NodeView view(context.node(), inputs, outputs, {});

  Call call(context);
  std::vector<onnxrun_tensor> facts(view.get()->inputs, view.get()->inputs + view.get()->input_count);
  std::deque<std::vector<int64_t>> dims;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i] || inputs[i]->constant || !inputs[i]->shape) continue;
    std::vector<int64_t>& numbers = dims.emplace_back();
    for (const ir::Dim& dim : *inputs[i]->shape) numbers.push_back(call.open.number_of(dim));
    facts[i].dims = numbers.data();
  }
  onnxrun_node node = *view.get();
  node.inputs = facts.data();
  call.node = &node;
  call.set_output = &Call::take;

  plan::Message message;
  const onnxrun_code code = op.infer(op.self, &call, message.sink());
  if (code != ONNXRUN_OK)
    throw base::Error(static_cast<Code>(code),
                      message.text().empty() ? "its inference failed and gave no reason" : message.text());
  for (size_t i = 0; i < call.given.size(); ++i)
    if (context.has_output(i) && !call.given[i])
      base::fail(Code::kUnsupported, "the inference of {} does not say what output {} is",
                 context.node().op->full_name(), i);
}

}  // namespace onnxrun::api
