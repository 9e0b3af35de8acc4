// com.microsoft.AttnLSTM: an LSTM whose input each step carries what Bahdanau attention made of a memory in the step before.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/recurrent.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// Checks input i against a shape; unknown dims of the shape are taken from the input.
void expect(InferContext& c, size_t i, std::string_view name, std::vector<Dim*> wanted) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr) return;
  if (shape->size() != wanted.size())
    c.fail("'{}' must have rank {}, got {}", name, wanted.size(), c.input(i).to_string());
  for (size_t d = 0; d < wanted.size(); ++d)
    *wanted[d] = unify(c, *wanted[d], (*shape)[d], fmt::format("dim {} of '{}'", d, name));
}

void infer_attn_lstm(InferContext& c) {
  const auto recurrent = attributes::read_recurrent(c.attributes(), {"Sigmoid", "Tanh", "Tanh"});
  for (size_t i : {8, 9, 10, 11})
    if (!c.has_input(i)) c.fail("the inputs 'QW', 'MW', 'V' and 'M' of the attention must all be given");
  Dim directions = recurrent.directions, hidden, seq, batch, input, width, attention, keys, depth, steps;
  if (c.attributes().has("hidden_size")) hidden = c.attributes().get_int("hidden_size", 0);
  if (hidden.is_constant() && hidden.value() < 1) c.fail("hidden_size must be positive, got {}", hidden.value());
  expect(c, 0, "X", {&seq, &batch, &input});
  if (const Shape* r = c.shape(2); r != nullptr && r->size() == 3)
    hidden = unify(c, hidden, (*r)[2], "the hidden size, dim 2 of 'R'");
  Dim rows = Dim(4) * hidden, biases = Dim(8) * hidden, holes = Dim(3) * hidden;
  expect(c, 1, "W", {&directions, &rows, &width});
  expect(c, 2, "R", {&directions, &rows, &hidden});
  expect(c, 3, "B", {&directions, &biases});
  expect(c, 4, "sequence_lens", {&batch});
  expect(c, 5, "initial_h", {&directions, &batch, &hidden});
  expect(c, 6, "initial_c", {&directions, &batch, &hidden});
  expect(c, 7, "P", {&directions, &holes});
  expect(c, 8, "QW", {&directions, &hidden, &keys});
  expect(c, 9, "MW", {&directions, &depth, &keys});
  expect(c, 10, "V", {&directions, &keys});
  expect(c, 11, "M", {&batch, &steps, &depth});
  expect(c, 12, "memory_seq_lens", {&batch});
  if (c.has_input(13)) {
    Dim both = depth + hidden;
    expect(c, 13, "AW", {&directions, &both, &attention});
  } else {
    attention = depth;
  }
  if (steps.is_constant() && steps.value() < 1) c.fail("the memory 'M' is empty");
  unify(c, width, input + attention, "the last dim of 'W' and the sizes of input and attention");
  c.set(0, c.dtype(0), Shape{seq, directions, batch, hidden});
  for (size_t i : {1, 2}) c.set(i, c.dtype(0), Shape{directions, batch, hidden});
}

}  // namespace

void define_microsoft_attn_lstm(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "AttnLSTM",
       .versions = {1},
       .signature =
           {.inputs = "X:T, W:T, R:T, B?:T, sequence_lens?:int32, initial_h?:T, initial_c?:T, P?:T, QW?:T, MW?:T, "
                      "V?:T, M?:T, "
                      "memory_seq_lens?:int32, AW?:T",
            .outputs = "Y?:T, Y_h?:T, Y_c?:T",
            .types = "T: float32 float64",
            .attributes =
                "activation_alpha:floats, activation_beta:floats, activations:strings, clip:float, direction:string, "
                "hidden_size:int, input_forget:int"},
       .infer = infer_attn_lstm});
}

}  // namespace onnxrun::ops
