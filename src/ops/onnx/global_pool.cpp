// GlobalAveragePool, GlobalMaxPool and GlobalLpPool (ONNX opset 22).
#include <cmath>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_global_pool(ir::InferContext& c) {
  const int64_t p = c.attributes().get_int("p", 2);
  if (p < 1) c.fail("attribute 'p' is {}, expected at least 1", p);
  const ir::Shape* in = c.shape(0);
  if (in == nullptr) return c.set(0, c.dtype(0));
  if (in->size() < 2) c.fail("input 'X' has the shape {}, expected [N, C, D1, ...]", ir::to_string(*in));
  ir::Shape out(in->size(), ir::Dim(1));
  out[0] = (*in)[0];
  out[1] = (*in)[1];
  c.set(0, c.dtype(0), out);
}

void lift_global_lp_pool(ir::Expansion& e, int since) {
  if (since < 2 && e.attributes().has("p")) {
    const float p = e.attributes().get_float("p", 2.0f);
    if (!(p >= 1 && p < 1e6f) || p != std::floor(p))
      e.fail("GlobalLpPool-1 with p={} has no form with an integer p", p);
    e.attributes().set("p", static_cast<int64_t>(p));
  }
  e.keep();
}

void lower_global_lp_pool(ir::Lowering& l, int opset) {
  if (opset < 2 && l.attributes().has("p")) l.attributes().set("p", static_cast<float>(l.attributes().get_int("p", 2)));
  l.keep();
}

}  // namespace

void define_onnx_global_pool(ir::OpTable& table) {
  for (const char* name : {"GlobalAveragePool", "GlobalMaxPool"})
    table.add({.domain = "",
               .name = name,
               .versions = {1, 22},
               .signature = {.inputs = "X:T", .outputs = "Y:T", .types = "T: floats"},
               .infer = infer_global_pool});
  table.add({.domain = "",
             .name = "GlobalLpPool",
             .versions = {1, 2, 22},
             .signature = {.inputs = "X:T", .outputs = "Y:T", .types = "T: floats", .attributes = "p:int"},
             .infer = infer_global_pool,
             .lift = lift_global_lp_pool,
             .lower = lower_global_lp_pool});
}

}  // namespace onnxrun::ops
