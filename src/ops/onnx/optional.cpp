// Optional, OptionalHasElement and OptionalGetElement (ONNX Optional-28).
#include "ir/expansion.h"
#include "ir/infer.h"

namespace onnxrun::ops {

using ir::DType;
using ir::Fact;

namespace {

void infer_optional(ir::InferContext& c) {
  if (c.has_input(0)) {
    Fact element = c.input(0);
    element.constant = {};
    element.elements.reset();
    c.set(0, Fact::optional(std::move(element)));
    return;
  }
  const auto* type = c.attributes().find("type");
  const auto* fact = type != nullptr ? std::get_if<Fact>(type) : nullptr;
  if (fact == nullptr) c.fail("Optional without an input needs the attribute 'type'");
  c.set(0, Fact::optional(*fact));
}

void infer_has_element(ir::InferContext& c) { c.set(0, DType::kBool, ir::Shape{}); }

void infer_get_element(ir::InferContext& c) {
  const Fact& input = c.input(0);
  Fact result = input.kind == ir::TypeKind::kOptional ? (input.element ? *input.element : Fact()) : input;
  result.constant = {};
  result.elements.reset();
  c.set(0, std::move(result));
}

}  // namespace

void define_onnx_optional(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Optional",
             .versions = {15, 28},
             .signature = {.inputs = "input?:any", .outputs = "output:opt", .attributes = "type:type"},
             .flags = ir::kStructural,
             .infer = infer_optional});
  table.add({.domain = "",
             .name = "OptionalHasElement",
             .versions = {15, 18, 28},
             .signature = {.inputs = "input?:any", .outputs = "output:bool"},
             .flags = ir::kStructural,
             .infer = infer_has_element});
  table.add({.domain = "",
             .name = "OptionalGetElement",
             .versions = {15, 18, 28},
             .signature = {.inputs = "input:any", .outputs = "output:any"},
             .flags = ir::kStructural,
             .infer = infer_get_element});
}

}  // namespace onnxrun::ops
