// RNN, GRU and LSTM (ONNX, opset 22).
#include "ops/attributes/recurrent.h"

#include <string>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

const std::vector<std::string>& default_activations(int64_t gates) {
  static const std::vector<std::string> kRnn = {"Tanh"}, kGru = {"Sigmoid", "Tanh"},
                                        kLstm = {"Sigmoid", "Tanh", "Tanh"};
  return gates == 1 ? kRnn : gates == 3 ? kGru : kLstm;
}

// Checks input i against a shape; unknown dims of the shape are taken from the input.
void expect(InferContext& c, size_t i, std::string_view name, std::vector<Dim*> wanted) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr) return;
  if (shape->size() != wanted.size())
    c.fail("'{}' must have rank {}, got {}", name, wanted.size(), c.input(i).to_string());
  for (size_t d = 0; d < wanted.size(); ++d)
    *wanted[d] = unify(c, *wanted[d], (*shape)[d], fmt::format("dim {} of '{}'", d, name));
}

// `gates` gates; the last output of an LSTM is its cell.
void infer_recurrent(InferContext& c, int64_t gates) {
  const auto recurrent = attributes::read_recurrent(c.attributes(), default_activations(gates));
  Dim directions = recurrent.directions, hidden, seq, batch, input;
  if (c.attributes().has("hidden_size")) {
    const int64_t size = c.attributes().get_int("hidden_size", 0);
    if (size < 1) c.fail("hidden_size must be positive, got {}", size);
    hidden = size;
  }
  expect(c, 0, "X",
         recurrent.batch_first ? std::vector<Dim*>{&batch, &seq, &input} : std::vector<Dim*>{&seq, &batch, &input});
  if (const Shape* r = c.shape(2); r != nullptr && r->size() == 3)
    hidden = unify(c, hidden, (*r)[2], "the hidden size, dim 2 of 'R'");
  Dim rows = Dim(gates) * hidden, biases = Dim(2 * gates) * hidden, holes = Dim(3) * hidden;
  expect(c, 1, "W", {&directions, &rows, &input});
  expect(c, 2, "R", {&directions, &rows, &hidden});
  expect(c, 3, "B", {&directions, &biases});
  expect(c, 4, "sequence_lens", {&batch});
  const auto state = recurrent.batch_first ? std::vector<Dim*>{&batch, &directions, &hidden}
                                           : std::vector<Dim*>{&directions, &batch, &hidden};
  expect(c, 5, "initial_h", state);
  if (gates == 4) {
    expect(c, 6, "initial_c", state);
    expect(c, 7, "P", {&directions, &holes});
  }
  const Shape last = recurrent.batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  c.set(0, c.dtype(0),
        recurrent.batch_first ? Shape{batch, seq, directions, hidden} : Shape{seq, directions, batch, hidden});
  c.set(1, c.dtype(0), last);
  c.set(2, c.dtype(0), last);
}

// `output_sequence` said in opset 1 whether Y is wanted; that an output is not named says the same.
void lift_recurrent(ir::Expansion& e, int) {
  e.drop({"output_sequence"});
  e.keep();
}

// GRU 1 had no linear_before_reset: 0.
constexpr const char* kAttributes =
    "activation_alpha:floats, activation_beta:floats, activations:strings, clip:float, direction:string, "
    "hidden_size:int, layout:int";

void lower_recurrent(ir::Lowering& l, int opset) {
  if (opset < 7 && l.has_output(0)) l.attributes().set("output_sequence", int64_t{1});
  l.keep();
}

}  // namespace

void define_onnx_recurrent(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "RNN",
             .versions = {1, 7, 14, 22},
             .signature = {.inputs = "X:T, W:T, R:T, B?:T, sequence_lens?:int32, initial_h?:T",
                           .outputs = "Y?:T, Y_h?:T",
                           .types = "T: floats",
                           .attributes = kAttributes},
             .infer = [](InferContext& c) { infer_recurrent(c, 1); },
             .lift = lift_recurrent,
             .lower = lower_recurrent});
  static const std::string kGru = std::string(kAttributes) + ", linear_before_reset:int";
  table.add({.domain = "",
             .name = "GRU",
             .versions = {1, 3, 7, 14, 22},
             .signature = {.inputs = "X:T, W:T, R:T, B?:T, sequence_lens?:int32, initial_h?:T",
                           .outputs = "Y?:T, Y_h?:T",
                           .types = "T: floats",
                           .attributes = kGru.c_str()},
             .infer = [](InferContext& c) { infer_recurrent(c, 3); },
             .lift = lift_recurrent,
             .lower = lower_recurrent});
  static const std::string kLstm = std::string(kAttributes) + ", input_forget:int";
  table.add({.domain = "",
             .name = "LSTM",
             .versions = {1, 7, 14, 22},
             .signature = {.inputs = "X:T, W:T, R:T, B?:T, sequence_lens?:int32, initial_h?:T, initial_c?:T, P?:T",
                           .outputs = "Y?:T, Y_h?:T, Y_c?:T",
                           .types = "T: floats",
                           .attributes = kLstm.c_str()},
             .infer = [](InferContext& c) { infer_recurrent(c, 4); },
             .lift = lift_recurrent,
             .lower = lower_recurrent});
}

}  // namespace onnxrun::ops
