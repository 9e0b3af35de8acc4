// ai.onnx.ml.LabelEncoder (4) and CategoryMapper: elements mapped by a table of keys and values.
#include "ops/attributes/label_encoder.h"

#include <numeric>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::InferContext;

struct List {
  std::string name;
  DType dtype;
  size_t size;
};

List read_list(const InferContext& c, std::string_view prefix) {
  const auto& a = c.attributes();
  EncoderList found = find_encoder_list(a, prefix);
  switch (found.dtype) {
    case DType::kString: return {found.attribute, found.dtype, a.get_strings(found.attribute).size()};
    case DType::kInt64: return {found.attribute, found.dtype, a.get_ints(found.attribute).size()};
    case DType::kFloat32: return {found.attribute, found.dtype, a.get_floats(found.attribute).size()};
    default: break;
  }
  const base::Tensor tensor = a.get_tensor(found.attribute);
  const DType dtype = tensor.dtype();
  const bool fits = dtype == DType::kString || dtype == DType::kInt64 || dtype == DType::kInt32 ||
                    dtype == DType::kInt16 || dtype == DType::kFloat32 || dtype == DType::kFloat64;
  if (!fits || tensor.rank() != 1)
    c.fail("'{}' must be a vector of string, int64, int32, int16, float32 or float64, got {} {}", found.attribute,
           base::dtype_name(dtype), base::to_string(tensor.dims()));
  return {found.attribute, dtype, static_cast<size_t>(tensor.count())};
}

void infer_label_encoder(InferContext& c) {
  const List keys = read_list(c, "keys"), values = read_list(c, "values");
  if (keys.size != values.size)
    c.fail("'{}' has {} elements, '{}' has {}", keys.name, keys.size, values.name, values.size);
  if (c.dtype(0) != DType::kNone && c.dtype(0) != keys.dtype)
    c.fail("'X' must have the type of '{}', {}, got {}", keys.name, base::dtype_name(keys.dtype),
           c.input(0).to_string());
  if (c.attributes().has("default_tensor")) {
    const base::Tensor fallback = c.attributes().get_tensor("default_tensor");
    if (fallback.dtype() != values.dtype || fallback.count() != 1)
      c.fail("'default_tensor' must be one {} as '{}' has, got {} {}", base::dtype_name(values.dtype), values.name,
             base::dtype_name(fallback.dtype()), base::to_string(fallback.dims()));
  }
  c.set(0, values.dtype, c.input(0).shape);
}

void infer_category_mapper(InferContext& c) {
  const size_t ints = c.attributes().get_ints("cats_int64s").size(),
               strings = c.attributes().get_strings("cats_strings").size();
  if (ints != strings) c.fail("'cats_int64s' has {} elements, 'cats_strings' has {}", ints, strings);
  const DType from = c.dtype(0);
  c.set(0, from == DType::kNone ? from : from == DType::kString ? DType::kInt64 : DType::kString, c.input(0).shape);
}

// Version 1 maps strings to their positions or back, as CategoryMapper does.
void lift_label_encoder(ir::Expansion& e, int since) {
  if (since == 1) {
    std::vector<std::string> classes = e.attributes().get_strings("classes_strings");
    std::vector<int64_t> positions(classes.size());
    std::iota(positions.begin(), positions.end(), int64_t{0});
    e.drop({"classes_strings"});
    e.attributes().set("cats_strings", std::move(classes));
    e.attributes().set("cats_int64s", std::move(positions));
    e.become("ai.onnx.ml", "CategoryMapper");
  }
  e.keep();
}

void lower_label_encoder(ir::Lowering& l, int opset) {
  if (opset < 2) return l.refuse("LabelEncoder has another meaning in version 1");
  l.keep();
}

}  // namespace

void define_ml_label_encoder(ir::OpTable& table) {
  table.add(
      {.domain = "ai.onnx.ml",
       .name = "LabelEncoder",
       .versions = {1, 2, 4},
       .signature = {.inputs = "X:T1",
                     .outputs = "Y:T2",
                     .types =
                         "T1: string int64 float32 int32 int16 float64 | T2: string int64 float32 int32 int16 float64",
                     .attributes = "keys_strings:strings, keys_int64s:ints, keys_floats:floats, keys_tensor:tensor, "
                                   "values_strings:strings, "
                                   "values_int64s:ints, values_floats:floats, values_tensor:tensor, "
                                   "default_string:string, default_int64:int, "
                                   "default_float:float, default_tensor:tensor"},
       .infer = infer_label_encoder,
       .lift = lift_label_encoder,
       .lower = lower_label_encoder});
  table.add(
      {.domain = "ai.onnx.ml",
       .name = "CategoryMapper",
       .versions = {1},
       .signature = {.inputs = "X:T1",
                     .outputs = "Y:T2",
                     .types = "T1: string int64 | T2: string int64",
                     .attributes = "cats_int64s:ints, cats_strings:strings, default_int64:int, default_string:string"},
       .infer = infer_category_mapper});
}

}  // namespace onnxrun::ops
