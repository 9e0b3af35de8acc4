// Range: numbers from a start by a step up to a limit (ONNX Range-27).
#include <cmath>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/range.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

std::optional<double> real(const InferContext& c, size_t i) {
  const base::Tensor* constant = c.constant(i);
  if (constant == nullptr || constant->count() != 1) return std::nullopt;
  switch (constant->dtype()) {
    case ir::DType::kFloat32: return *constant->data<float>();
    case ir::DType::kFloat64: return *constant->data<double>();
    case ir::DType::kFloat16: return static_cast<float>(*constant->data<base::Float16>());
    case ir::DType::kBfloat16: return static_cast<float>(*constant->data<base::Bfloat16>());
    default: return std::nullopt;
  }
}

Dim symbolic_length(const Dim& start, const Dim& limit, const Dim& step) {
  if (!step.is_constant()) return Dim();
  if (step.value() > 0) return at_least_zero(ceil_div(limit - start, step));
  if (step.value() == INT64_MIN) return Dim();
  return at_least_zero(ceil_div(start - limit, Dim(-step.value())));
}

void infer_integers(InferContext& c) {
  Dim at[3];
  for (size_t i = 0; i < 3; ++i) {
    const auto elements = c.elements(i);
    if (!elements || elements->size() != 1) return c.set(0, c.dtype(0), Shape{Dim()});
    at[i] = elements->front();
  }
  const auto [start, limit, step] = at;
  if (step.is_constant() && step.value() == 0) base::fail(base::Code::kRunFailed, "'delta' must not be 0");
  const bool constant = start.is_constant() && limit.is_constant() && step.is_constant();
  const Dim length = constant ? Dim(attributes::range_length(start.value(), limit.value(), step.value()))
                              : symbolic_length(start, limit, step);
  c.set(0, c.dtype(0), Shape{length});
  if (!length.is_constant() || length.value() > ir::kMaxTrackedElements) return;
  std::vector<Dim> elements;
  for (int64_t i = 0; i < length.value(); ++i) elements.push_back(start + Dim(i) * step);
  c.set_elements(0, std::move(elements));
}

void infer_range(InferContext& c) {
  static constexpr const char* kNames[] = {"start", "limit", "delta"};
  for (size_t i = 0; i < 3; ++i) {
    const Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    const Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1)
      c.fail("'{}' must be a scalar, got {}", kNames[i], c.input(i).to_string());
  }
  if (base::is_integer(c.dtype(0))) return infer_integers(c);
  const auto start = real(c, 0), limit = real(c, 1), step = real(c, 2);
  if (!start || !limit || !step) return c.set(0, c.dtype(0), Shape{Dim()});
  c.set(0, c.dtype(0), Shape{Dim(attributes::range_length(*start, *limit, *step))});
}

}  // namespace

void define_onnx_range(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Range",
             .versions = {11, 27},
             .signature = {.inputs = "start:T, limit:T, delta:T",
                           .outputs = "output:T",
                           .types = "T: float16 bfloat16 float32 float64 int16 int32 int64",
                           .attributes = "stash_type:int"},
             .infer = infer_range});
}

}  // namespace onnxrun::ops
