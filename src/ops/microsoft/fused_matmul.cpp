// com.microsoft's products of transposed and scaled matrices: FusedMatMul, its older name TransposeMatMul, SparseToDenseMatMul,
// FusedMatMulActivation and GemmFastGelu. All are lifted to ONNX's operators; of FusedMatMul the optimizer makes some again.
#include <algorithm>

#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

// The order of axes that `batch` (the first axis moves behind the batch axes) and then `last` (the last two change places) make of 0, 1, …
std::vector<int64_t> order_of(int64_t rank, bool batch, bool last) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < rank; ++i) order.push_back(i);
  const size_t n = order.size();
  if (batch) std::rotate(order.begin(), order.begin() + 1, order.begin() + static_cast<std::ptrdiff_t>(n) - 1);
  if (last) std::swap(order[n - 2], order[n - 1]);
  return order;
}

ValueId turned(Expansion& e, size_t i, const char* batch_name, const char* last_name) {
  Emitter emit(e);
  const ValueId x = e.input(i);
  bool batch = e.attributes().get_int(batch_name, 0) != 0, last = e.attributes().get_int(last_name, 0) != 0;
  if (!batch && !last) return x;
  const int64_t rank = emit.rank(x, i == 0 ? "A" : "B");
  if (rank < 2) return x;
  if (rank == 2) batch = false;
  return batch || last ? emit.transpose(x, order_of(rank, batch, last)) : x;
}

ValueId product(Expansion& e) {
  Emitter emit(e);
  const ValueId y = emit.op("MatMul", {turned(e, 0, "transBatchA", "transA"), turned(e, 1, "transBatchB", "transB")});
  const float alpha = e.attributes().get_float("alpha", 1.0f);
  return alpha == 1.0f ? y : emit.mul(y, emit.like(alpha, y));
}

void lift_product(Expansion& e, int) { e.bind(0, product(e)); }

bool decompose_product(Expansion& e) {
  e.bind(0, product(e));
  return true;
}

// Of the form that the optimizer makes: nothing of the batch axes is transposed.
void infer_product(ir::InferContext& c) {
  std::optional<ir::Shape> out;
  if (c.shape(0) != nullptr && c.shape(1) != nullptr) {
    ir::Shape a = *c.shape(0), b = *c.shape(1);
    if (c.attributes().get_int("transA", 0) != 0 && a.size() >= 2) std::swap(a[a.size() - 2], a.back());
    if (c.attributes().get_int("transB", 0) != 0 && b.size() >= 2) std::swap(b[b.size() - 2], b.back());
    out = matmul_shape(a, b);
  }
  c.set(0, c.dtype(0), std::move(out));
}

void lift_activation(Expansion& e, int) {
  const FusedActivation activation = FusedActivation::of_product(e.attributes());
  const ValueId y = product(e);
  if (activation.kind == "Softmax")
    return e.finish("Softmax", {y}, {{"axis", e.attributes().get_int("activation_axis", -1)}});
  activation.finish(e, y);
}

void lift_gemm_fast_gelu(Expansion& e, int) {
  Emitter emit(e);
  ValueId y = emit.op("MatMul", {e.input(0), e.input(1)});
  if (e.has_input(2)) y = emit.add(y, e.input(2));
  e.finish("Gelu", {y}, {{"approximate", std::string("tanh")}});
}

}  // namespace

void define_microsoft_fused_matmul(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "FusedMatMul",
             .versions = {1},
             .signature = {.inputs = "A:T, B:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "alpha:float, transA:int, transB:int, transBatchA:int, transBatchB:int"},
             .infer = infer_product,
             .lift = lift_product,
             .lower = ir::lower_unchanged,
             .decompose = decompose_product});
  const auto add = [&](const char* name, const char* inputs, const char* attributes, void (*lift)(Expansion&, int),
                       const char* types = "T: floats") {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = "Y:T", .types = types, .attributes = attributes},
               .infer = infer_lifted,
               .lift = lift});
  };
  add("TransposeMatMul", "A:T, B:T", "alpha:float, transA:int, transB:int", lift_product);
  // A sparse initializer has become the dense matrix it stands for.
  add("SparseToDenseMatMul", "A:T, B:T", "alpha:float, transA:int, transB:int", lift_product,
      "T: float32 float64 int32 int64 uint32 uint64");
  add("FusedMatMulActivation", "A:T, B:T",
      "activation:string!, activation_alpha:float, activation_axis:int, activation_beta:float, activation_gamma:float, "
      "alpha:float, transA:int, "
      "transB:int, transBatchA:int, transBatchB:int",
      lift_activation);
  add("GemmFastGelu", "X:T, W:T, bias?:T", "", lift_gemm_fast_gelu);
}

}  // namespace onnxrun::ops
