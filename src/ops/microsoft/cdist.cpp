// com.microsoft.CDist: the distances between the rows of two matrices.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_cdist(ir::InferContext& c) {
  const std::string metric = c.attributes().get_string("metric", "sqeuclidean");
  if (metric != "sqeuclidean" && metric != "euclidean")
    base::fail(base::Code::kUnsupported,
               "com.microsoft.CDist with the metric '{}' is not supported; sqeuclidean and euclidean are", metric);
  const ir::Shape *a = ranked_input(c, 0, "A", 2), *b = ranked_input(c, 1, "B", 2);
  if (a != nullptr && b != nullptr) unify(c, (*a)[1], (*b)[1], "the columns of 'A' and 'B'");
  c.set(0, c.dtype(0), ir::Shape{a ? (*a)[0] : ir::Dim(), b ? (*b)[0] : ir::Dim()});
}

}  // namespace

void define_microsoft_cdist(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "CDist",
             .versions = {1},
             .signature =
                 {.inputs = "A:T, B:T", .outputs = "C:T", .types = "T: float32 float64", .attributes = "metric:string"},
             .infer = infer_cdist});
}

}  // namespace onnxrun::ops
