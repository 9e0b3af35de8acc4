// ReverseSequence: the first elements of each sequence of a batch in reverse (ONNX ReverseSequence-28).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_reverse_sequence(ir::InferContext& c) {
  const int64_t batch_axis = c.attributes().get_int("batch_axis", 1);
  const int64_t time_axis = c.attributes().get_int("time_axis", 0);
  if ((batch_axis != 0 && batch_axis != 1) || time_axis != 1 - batch_axis)
    c.fail("'batch_axis' and 'time_axis' must be 0 and 1 or 1 and 0, got {} and {}", batch_axis, time_axis);
  const ir::Shape* input = c.shape(0);
  if (input != nullptr && input->size() < 2)
    c.fail("'input' must have two dimensions or more, got {}", c.input(0).to_string());
  const ir::Shape* lengths = c.shape(1);
  if (lengths != nullptr && lengths->size() != 1)
    c.fail("'sequence_lens' must have one dimension, got {}", c.input(1).to_string());
  if (input != nullptr && lengths != nullptr)
    unify(c, (*input)[static_cast<size_t>(batch_axis)], (*lengths)[0],
          "the batch of 'input' and the length of 'sequence_lens'");
  c.set(0, c.dtype(0), shape_of(c, 0));
}

}  // namespace

void define_onnx_reverse_sequence(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "ReverseSequence",
             .versions = {10, 28},
             .signature = {.inputs = "input:T, sequence_lens:int64",
                           .outputs = "Y:T",
                           .types = "T: all",
                           .attributes = "batch_axis:int, time_axis:int"},
             .infer = infer_reverse_sequence});
}

}  // namespace onnxrun::ops
