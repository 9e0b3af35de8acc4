// Sequence operators: making, reading, splitting and joining lists of tensors (ONNX Sequence*-11, SplitToSequence-24, SequenceMap-17).
#include "ir/expansion.h"
#include "ir/infer.h"

namespace onnxrun::ops {

using ir::Dim;
using ir::DType;
using ir::Fact;

namespace {

// The element fact of a sequence input; unknown where the input's type is.
Fact element_of(const ir::InferContext& c, size_t i) {
  const Fact& fact = c.input(i);
  if (fact.kind == ir::TypeKind::kUnknown) return {};
  if (fact.kind != ir::TypeKind::kSequence) c.fail("input {} must be a sequence, got {}", i, fact.to_string());
  return fact.element ? *fact.element : Fact();
}

Fact only_shape(const Fact& fact) {
  Fact result = fact;
  result.constant = {};
  result.elements.reset();
  return result;
}

void require_position(ir::InferContext& c, size_t i) {
  if (!c.has_input(i)) return;
  if (c.rank(i) > 1) c.fail("'position' must be a scalar, got {}", c.input(i).to_string());
}

void infer_sequence_empty(ir::InferContext& c) {
  const int64_t dtype = c.attributes().get_int("dtype", static_cast<int64_t>(DType::kFloat32));
  if (!base::is_dtype(dtype)) c.fail("dtype {} names no element type", dtype);
  c.set(0, Fact::sequence(Fact::tensor(static_cast<DType>(dtype))));
}

void infer_sequence_construct(ir::InferContext& c) {
  Fact element = only_shape(c.input(0));
  for (size_t i = 1; i < c.input_count(); ++i) {
    if (!types_agree(element, c.input(i)))
      c.fail("all elements must have one type; input 0 is {}, input {} is {}", c.input(0).to_string(), i,
             c.input(i).to_string());
    element = only_shape(join(element, c.input(i)));
  }
  c.set(0, Fact::sequence(std::move(element)));
}

void infer_sequence_at(ir::InferContext& c) {
  require_position(c, 1);
  c.set(0, element_of(c, 0));
}

void infer_sequence_insert(ir::InferContext& c) {
  require_position(c, 2);
  const Fact element = element_of(c, 0);
  if (!types_agree(element, c.input(1)))
    c.fail("a {} does not fit into a sequence of {}", c.input(1).to_string(), element.to_string());
  // An empty sequence has a declared element type but no shape yet.
  c.set(0, Fact::sequence(only_shape(join(element, c.input(1)))));
}

void infer_sequence_erase(ir::InferContext& c) {
  require_position(c, 1);
  c.set(0, Fact::sequence(element_of(c, 0)));
}

void infer_sequence_length(ir::InferContext& c) {
  element_of(c, 0);
  c.set(0, DType::kInt64, ir::Shape{});
}

void infer_split_to_sequence(ir::InferContext& c) {
  Fact element = Fact::tensor(c.dtype(0));
  if (const ir::Shape* shape = c.shape(0)) {
    if (shape->empty()) c.fail("'input' must have a dimension to split, got a scalar");
    const auto axis = static_cast<size_t>(base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0)));
    ir::Shape part = *shape;
    if (!c.has_input(1) && c.attributes().get_int("keepdims", 1) == 0)
      part.erase(part.begin() + static_cast<int64_t>(axis));
    else part[axis] = c.has_input(1) ? Dim() : Dim(1);
    element.shape = std::move(part);
  }
  if (c.rank(1) > 1) c.fail("'split' must be a scalar or a vector, got {}", c.input(1).to_string());
  c.set(0, Fact::sequence(std::move(element)));
}

void infer_concat_from_sequence(ir::InferContext& c) {
  const Fact element = element_of(c, 0);
  const bool new_axis = c.attributes().get_int("new_axis", 0) != 0;
  Fact result = Fact::tensor(element.dtype);
  if (element.shape) {
    const int64_t rank = element.rank() + (new_axis ? 1 : 0);
    if (rank == 0) c.fail("scalars can only be joined along a new axis: set new_axis to 1");
    const int64_t axis = base::normalize_axis(c.attributes().get_int("axis", 0), rank);
    ir::Shape shape = *element.shape;
    if (new_axis) shape.insert(shape.begin() + axis, Dim());
    else shape[static_cast<size_t>(axis)] = Dim();
    result.shape = std::move(shape);
  }
  c.set(0, std::move(result));
}

void infer_sequence_map(ir::InferContext& c) {
  const ir::Graph* body = c.node().body("body");
  if (body == nullptr || body->inputs().size() != c.input_count() || body->outputs().size() != c.output_count())
    c.fail("the body must take {} inputs and give {} outputs", c.input_count(), c.output_count());
  std::vector<Fact> inputs;
  for (size_t i = 0; i < c.input_count(); ++i)
    inputs.push_back(c.input(i).kind == ir::TypeKind::kSequence ? element_of(c, i) : only_shape(c.input(i)));
  const std::vector<Fact> outputs = c.infer_body("body", inputs);
  for (size_t i = 0; i < c.output_count(); ++i) {
    Fact element = only_shape(outputs[i]);
    c.set(i, Fact::sequence(std::move(element)));
  }
}

}  // namespace

void define_onnx_sequence(ir::OpTable& table) {
  const auto add = [&](const char* name, std::vector<int> versions, const char* inputs, const char* outputs,
                       const char* attributes, void (*infer)(ir::InferContext&)) {
    table.add({.domain = "",
               .name = name,
               .versions = std::move(versions),
               .signature =
                   {.inputs = inputs, .outputs = outputs, .types = "T: all | I: int32 int64", .attributes = attributes},
               .flags = ir::kStructural,
               .infer = infer});
  };
  add("SequenceEmpty", {11}, "", "output:seq", "dtype:int", infer_sequence_empty);
  add("SequenceConstruct", {11}, "inputs*:T", "output_sequence:seq", "", infer_sequence_construct);
  add("SequenceAt", {11}, "input_sequence:seq, position:I", "tensor:T", "", infer_sequence_at);
  add("SequenceInsert", {11}, "input_sequence:seq, tensor:T, position?:I", "output_sequence:seq", "",
      infer_sequence_insert);
  add("SequenceErase", {11}, "input_sequence:seq, position?:I", "output_sequence:seq", "", infer_sequence_erase);
  add("SequenceLength", {11}, "input_sequence:seq", "length:int64", "", infer_sequence_length);
  add("SplitToSequence", {11, 24}, "input:T, split?:I", "output_sequence:seq", "axis:int, keepdims:int",
      infer_split_to_sequence);
  add("ConcatFromSequence", {11}, "input_sequence:seq", "concat_result:T", "axis:int!, new_axis:int",
      infer_concat_from_sequence);
  add("SequenceMap", {17}, "input_sequence:seq, additional_inputs**~:any", "out_sequence*~:seq", "body:graph!",
      infer_sequence_map);
}

}  // namespace onnxrun::ops
