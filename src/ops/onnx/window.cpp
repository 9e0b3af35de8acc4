// HannWindow, HammingWindow, BlackmanWindow and MelWeightMatrix (ONNX, opset 17).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

ir::DType output_type(InferContext& c) {
  const int64_t type = c.attributes().get_int("output_datatype", 1);
  if (!base::is_dtype(type)) c.fail("output_datatype names no element type: {}", type);
  return static_cast<ir::DType>(type);
}

// The known value of a scalar input.
void one_element(InferContext& c, size_t i, const char* name) {
  if (const Shape* shape = c.shape(i)) {
    const Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1)
      c.fail("'{}' must be a scalar, got {}", name, c.input(i).to_string());
  }
}

Dim scalar(InferContext& c, size_t i, const char* name) {
  one_element(c, i, name);
  const auto elements = c.elements(i);
  if (!elements || elements->size() != 1) return {};
  return checked_dim(c, elements->front(), name);
}

void infer_window(InferContext& c) { c.set(0, output_type(c), Shape{scalar(c, 0, "size")}); }

void infer_mel(InferContext& c) {
  for (const auto& [i, name] :
       {std::pair<size_t, const char*>{2, "sample_rate"}, {3, "lower_edge_hertz"}, {4, "upper_edge_hertz"}})
    one_element(c, i, name);
  const Dim bins = scalar(c, 0, "num_mel_bins"), length = scalar(c, 1, "dft_length");
  c.set(0, output_type(c), Shape{floor_div(length, 2) + Dim(1), bins});
}

}  // namespace

void define_onnx_window(ir::OpTable& table) {
  for (const char* name : {"HannWindow", "HammingWindow", "BlackmanWindow"})
    table.add({.domain = "",
               .name = name,
               .versions = {17},
               .signature = {.inputs = "size:T1",
                             .outputs = "output:T2",
                             .types = "T1: int32 int64 | T2: numeric",
                             .attributes = "output_datatype:int, periodic:int"},
               .infer = infer_window});
  table.add(
      {.domain = "",
       .name = "MelWeightMatrix",
       .versions = {17},
       .signature = {.inputs =
                         "num_mel_bins:T1, dft_length:T1, sample_rate:T1, lower_edge_hertz:T2, upper_edge_hertz:T2",
                     .outputs = "output:T3",
                     .types = "T1: int32 int64 | T2: floats | T3: numeric",
                     .attributes = "output_datatype:int"},
       .infer = infer_mel});
}

}  // namespace onnxrun::ops
