// ai.onnx.ml.Imputer: one value replaced by others, a feature at a time.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

using ir::DType;

void infer_imputer(ir::InferContext& c) {
  const auto& a = c.attributes();
  c.set(0, c.dtype(0), c.input(0).shape);
  if (c.rank(0) == 0) c.fail("'X' must have one dimension or more, got {}", c.input(0).to_string());
  if (c.dtype(0) == DType::kNone) return;
  const bool floats = base::is_float(c.dtype(0));
  const char* name = floats ? "imputed_value_floats" : "imputed_value_int64s";
  const std::vector<int64_t> ints = a.get_ints("imputed_value_int64s");
  const size_t length = floats ? a.get_floats(name).size() : ints.size();
  if (length == 0) c.fail("'{}' must be given for 'X' {}", name, c.input(0).to_string());
  check_per_feature(c, name, length);
  if (c.dtype(0) == DType::kInt32)
    for (int64_t value : ints)
      if (value < INT32_MIN || value > INT32_MAX) c.fail("'{}' has {}, which no int32 can hold", name, value);
}

}  // namespace

void define_ml_imputer(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "Imputer",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:T",
                           .types = "T: float32 float64 int64 int32",
                           .attributes = "imputed_value_floats:floats, imputed_value_int64s:ints, "
                                         "replaced_value_float:float, replaced_value_int64:int"},
             .infer = infer_imputer});
}

}  // namespace onnxrun::ops
