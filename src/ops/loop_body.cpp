// Following the condition through a Loop's body.
#include "ops/loop_body.h"

#include "ir/op.h"

namespace onnxrun::ops {

bool never_breaks(const ir::Graph& body) {
  if (body.outputs().empty() || body.inputs().size() < 2) return false;
  ir::ValueId condition = body.outputs()[0];
  for (;;) {
    const ir::Value& value = body.value(condition);
    if (condition == body.inputs()[1]) return true;
    const base::Tensor& constant = value.fact.constant;
    if (constant) return constant.dtype() == base::DType::kBool && constant.count() == 1 && *constant.data<bool>();
    if (value.producer == ir::kNone) return false;
    const ir::Node& node = body.node(value.producer);
    if (node.op->full_name() != "Identity") return false;
    condition = node.inputs[0];
  }
}

}  // namespace onnxrun::ops
