// Constant and ConstantOfShape: a value from attributes, and one value repeated (ONNX Constant-25, ConstantOfShape-25).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::InferContext;
using ir::Shape;

template <class T>
Tensor vector(const std::vector<T>& values) {
  return Tensor::vector<T>(std::span<const T>(values));
}

// The tensor that a Constant's one attribute gives; none when it has another number of them.
Tensor constant_value(const Attributes& attributes) {
  Tensor value;
  int found = 0;
  for (const ir::Attribute& attribute : attributes.list()) {
    const std::string& name = attribute.name;
    if (name == "value" || name == "sparse_value") value = attributes.get_tensor(name);
    else if (name == "value_int") value = Tensor::scalar<int64_t>(attributes.get_int(name, 0));
    else if (name == "value_float") value = Tensor::scalar<float>(attributes.get_float(name, 0));
    else if (name == "value_string") value = Tensor::scalar<std::string>(attributes.get_string(name));
    else if (name == "value_ints") value = vector(attributes.get_ints(name));
    else if (name == "value_floats") value = vector(attributes.get_floats(name));
    else if (name == "value_strings") value = vector(attributes.get_strings(name));
    else continue;
    ++found;
  }
  if (found != 1)
    base::fail(base::Code::kInvalidModel,
               "a Constant needs one of the attributes value, sparse_value and value_*, this has {}", found);
  return value;
}

void infer_constant(InferContext& c) { c.set(0, ir::Fact::of(constant_value(c.attributes()))); }

void lift_constant(ir::Expansion& e, int) { e.bind(0, e.constant(constant_value(e.attributes()))); }

bool decompose_constant(ir::Expansion& e) {
  lift_constant(e, 0);
  return true;
}

void infer_constant_of_shape(InferContext& c) {
  if (c.rank(0) >= 0 && c.rank(0) != 1) c.fail("'input' must have one dimension, got {}", c.input(0).to_string());
  const Tensor value = c.attributes().get_tensor("value");
  if (value && value.count() != 1) c.fail("'value' must have one element, it has {}", value.count());
  const ir::DType dtype = value ? value.dtype() : ir::DType::kFloat32;
  auto dims = c.elements(0);
  if (!dims) return c.set(0, dtype);
  check_rank(c, dims->size());
  for (const Dim& dim : *dims) checked_dim(c, dim, "a dim of 'input'");
  const Dim count = ir::element_count(*dims);
  const bool tracked = dims->size() <= 1 && count.is_constant() && count.value() <= ir::kMaxTrackedElements;
  c.set(0, dtype, std::move(*dims));
  if (tracked && value && base::is_integer(dtype) && dtype != ir::DType::kUint64)
    c.set_elements(0, std::vector<Dim>(static_cast<size_t>(count.value()), Dim(value.as_int64()[0])));
}

}  // namespace

void define_onnx_constant(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Constant",
             .versions = {1, 9, 11, 12, 13, 19, 21, 23, 24, 25},
             .signature = {.outputs = "output:T",
                           .types = "T: all",
                           .attributes =
                               "value:tensor, sparse_value:tensor, value_int:int, value_ints:ints, value_float:float, "
                               "value_floats:floats, value_string:string, value_strings:strings"},
             .infer = infer_constant,
             .lift = lift_constant,
             .decompose = decompose_constant});
  table.add(
      {.domain = "",
       .name = "ConstantOfShape",
       .versions = {9, 20, 21, 23, 24, 25},
       .signature = {.inputs = "input:int64", .outputs = "output:T", .types = "T: all", .attributes = "value:tensor"},
       .infer = infer_constant_of_shape});
}

}  // namespace onnxrun::ops
