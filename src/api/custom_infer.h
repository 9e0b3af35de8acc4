// Inference of operators that callers bring.
#pragma once

#include <onnxrun/custom_op.h>

#include "ir/infer.h"

namespace onnxrun::api {

// Such an operator. Neither copied nor moved: its definition points into it.
struct CustomOp {
  // The text of the definition's domain, with the operator in front: that is how `infer_custom` finds it from the definition alone.
  struct Domain {
    const CustomOp* op = nullptr;
    char text[256] = {};
  };

  CustomOp() { domain.op = this; }
  CustomOp(const CustomOp&) = delete;
  CustomOp& operator=(const CustomOp&) = delete;
  // Of a definition whose `domain` is a Domain's text.
  static const CustomOp& of(const ir::OpDef& def);

  Domain domain;
  std::string name, inputs, outputs, types, attributes;
  uint64_t value_inputs = 0;
  onnxrun_code (*infer)(void* self, onnxrun_infer_call* call, onnxrun_sink* error) = nullptr;
  void* self = nullptr;
};

// An OpDef::infer: asks the operator's own function.
void infer_custom(ir::InferContext& context);

}  // namespace onnxrun::api
