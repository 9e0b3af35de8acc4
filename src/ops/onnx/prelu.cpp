// PRelu: x where it is not negative, slope * x elsewhere, the slope broadcast to X (ONNX PRelu-16).
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/activation_bodies.h"
#include "ops/constant_scalar.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

void infer_prelu(ir::InferContext& c) {
  if (const ir::Shape* x = c.shape(0)) check_broadcasts_to(c, 1, "slope", *x);
  infer_like_first(c);
}

// Before opset 7 a slope of one dim runs along the channels, axis 1.
void lift_prelu(ir::Expansion& e, int since) {
  e.drop({"consumed_inputs"});
  const ir::Fact& slope = e.fact(e.input(1));
  const bool one = slope.rank() == 1 && slope.shape->front() == ir::Dim(1);
  if (since < 7 && slope.rank() == 1 && !one) {
    const int64_t rank = e.fact(e.input(0)).rank();
    if (rank < 0) e.fail("PRelu-{} needs an input 'X' of known rank", since);
    std::vector<int64_t> axes;
    for (int64_t k = 1; k + 1 < rank; ++k) axes.push_back(k);
    if (!axes.empty()) e.set_input(1, e.emit("Unsqueeze", {e.input(1), e.int64s(axes)}));
  }
  e.keep();
}

void lower_prelu(ir::Lowering& l, int opset) {
  if (opset >= 7) return l.keep();
  const auto slope = l.fact(l.input(1)).dims();
  const int64_t rank = l.fact(l.input(0)).rank();
  if (!slope || rank < 0) return l.refuse("the shape of 'slope' or the rank of 'X' is not known");
  int64_t count = 1;
  for (const int64_t dim : *slope) count *= dim;
  // Dims as those of X from the channels on: [C, 1, 1], or [1, C, 1, 1].
  const auto own = static_cast<int64_t>(slope->size());
  const int64_t channels = own - (rank - 1);
  const bool by_channel = channels >= 0 && channels < own && (*slope)[static_cast<size_t>(channels)] == count;
  if (count != 1 && !by_channel)
    return l.refuse("its 'slope' of shape {} is neither one number nor one a channel", base::to_string(*slope));
  if (slope->size() != 1) l.set_input(1, reshaped_constant(l, l.input(1), {count}));
  l.keep();
}

}  // namespace

void define_onnx_prelu(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "PRelu",
             .versions = {1, 6, 7, 9, 16},
             .signature = {.inputs = "X:T, slope:T", .outputs = "Y:T", .types = "T: floats int32 int64 uint32 uint64"},
             .infer = infer_prelu,
             .lift = lift_prelu,
             .lower = lower_prelu,
             .decompose = decompose_prelu});
}

}  // namespace onnxrun::ops
