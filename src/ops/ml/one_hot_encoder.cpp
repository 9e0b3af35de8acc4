// ai.onnx.ml.OneHotEncoder: each element becomes a vector with a one at its category.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/labels.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_one_hot_encoder(ir::InferContext& c) {
  const Labels categories = read_labels(c.attributes(), "cats_int64s", "cats_strings");
  if (c.dtype(0) != ir::DType::kNone && categories.are_strings() != (c.dtype(0) == ir::DType::kString))
    c.fail("the categories are {}, but 'X' is {}", categories.are_strings() ? "strings" : "integers",
           c.input(0).to_string());
  if (c.shape(0) == nullptr) return c.set(0, ir::DType::kFloat32);
  ir::Shape out = *c.shape(0);
  out.emplace_back(static_cast<int64_t>(categories.size()));
  check_rank(c, out.size());
  c.set(0, ir::DType::kFloat32, std::move(out));
}

}  // namespace

void define_ml_one_hot_encoder(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "OneHotEncoder",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:float32",
                           .types = "T: string int64 int32 float32 float64",
                           .attributes = "cats_int64s:ints, cats_strings:strings, zeros:int"},
             .infer = infer_one_hot_encoder});
}

}  // namespace onnxrun::ops
