// BatchNormalization, for inference and training (ONNX BatchNormalization-15).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;
using ir::ValueId;

void infer_batch_normalization(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  if (in != nullptr && in->empty()) c.fail("input 'X' is a scalar, expected [N, C, D1, ...]");
  const Dim channels = in == nullptr ? Dim() : in->size() == 1 ? Dim(1) : (*in)[1];
  constexpr const char* kNames[] = {"X", "scale", "B", "input_mean", "input_var"};
  for (size_t i = 1; i < 5; ++i) require_vector(c, i, kNames[i], channels);
  const bool training = c.attributes().get_int("training_mode", 0) != 0;
  if (!training && (c.has_output(1) || c.has_output(2)))
    c.fail("outputs 'running_mean' and 'running_var' need training_mode=1");
  c.set(0, c.dtype(0), c.input(0).shape);
  for (size_t i : {1, 2})
    if (c.has_output(i)) c.set(i, c.dtype(i + 2), c.input(i + 2).shape);
}

// The axes other than 1.
std::vector<int64_t> batch_axes(int64_t rank) {
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != 1) axes.push_back(axis);
  return axes;
}

// Versions before 14: training is said by the number of outputs (and is_test); outputs 3 and 4 are the batch's mean and variance; parameters
// may be given for each element (spatial=0).
void lift_batch_normalization(ir::Expansion& e, int since) {
  if (since >= 14) return e.keep();
  const bool is_test = e.attributes().get_int("is_test", 0) != 0;
  const bool spatial = e.attributes().get_int("spatial", 1) != 0;
  e.drop({"consumed_inputs", "is_test", "spatial"});
  bool extra = false;
  for (size_t i = 1; i < 5; ++i) extra = extra || e.has_output(i);
  const bool training = extra && !is_test;
  if (!training) {
    const ValueId mean = e.input(3), variance = e.input(4);
    if (spatial) {
      if (!extra) return e.keep();
      std::vector<ValueId> inputs = e.source().inputs;
      e.bind(0, e.emit("BatchNormalization", inputs, e.attributes()));
    }
    if (extra) {
      e.bind(1, mean);
      e.bind(2, variance);
      e.bind(3, mean);
      e.bind(4, variance);
    }
    if (spatial) return;
  }
  std::vector<ValueId> inputs = e.source().inputs;
  const ValueId x = inputs[0];
  if (!spatial) {
    inputs[0] = e.emit("Flatten", {x}, {{"axis", int64_t{1}}});
    for (size_t i = 1; i < 5; ++i) inputs[i] = e.emit("Reshape", {inputs[i], e.int64s({-1})});
  }
  ir::Attributes attributes = e.attributes();
  if (!training)
    return e.bind(0, e.emit("Reshape", {e.emit("BatchNormalization", inputs, attributes), e.emit("Shape", {x})}));
  attributes.set("training_mode", int64_t{1});
  std::vector<ValueId> results = e.emit_many("BatchNormalization", inputs, 3, attributes);
  ValueId saved[2] = {ir::kNone, ir::kNone};
  if (e.has_output(3) || e.has_output(4)) {
    const int64_t rank = e.fact(inputs[0]).rank();
    if (rank < 2)
      e.fail("BatchNormalization-{} with saved statistics needs an input of known rank of 2 or more", since);
    const ValueId axes = e.int64s(batch_axes(rank));
    const ValueId kept = e.emit("ReduceMean", {inputs[0], axes});
    const ValueId centred = e.emit("Sub", {inputs[0], kept});
    saved[0] = e.emit("ReduceMean", {inputs[0], axes}, {{"keepdims", int64_t{0}}});
    saved[1] = e.emit("ReduceMean", {e.emit("Mul", {centred, centred}), axes}, {{"keepdims", int64_t{0}}});
  }
  const auto shaped = [&](ValueId value, ValueId like) {
    return spatial ? value : e.emit("Reshape", {value, e.emit("Shape", {like})});
  };
  e.bind(0, shaped(results[0], x));
  for (size_t i : {1, 2})
    if (e.has_output(i)) e.bind(i, shaped(results[i], e.input(i + 2)));
  for (size_t i : {3, 4})
    if (e.has_output(i)) e.bind(i, shaped(saved[i - 3], e.input(i)));
}

void lower_batch_normalization(ir::Lowering& l, int opset) {
  if (opset >= 14) return l.keep();
  const bool training = l.attributes().get_int("training_mode", 0) != 0;
  // That was said by the outputs, of which there were one or five.
  if (training) {
    if (l.fact(l.input(0)).rank() < 2)
      return l.refuse("it is in training and the rank of 'X' is not known to be 2 or more");
    const ir::Fact statistic = l.fact(l.input(3));
    while (l.source().outputs.size() < 5)
      l.source().outputs.push_back(l.graph().add_value(l.graph().fresh_name("statistic"), statistic));
    for (ValueId& output : l.source().outputs)
      if (output == ir::kNone) output = l.graph().add_value(l.graph().fresh_name("statistic"), statistic);
  }
  l.attributes().erase("training_mode");
  if (opset < 7 && !training) l.attributes().set("is_test", int64_t{1});
  if (opset < 6) l.attributes().set("consumed_inputs", std::vector<int64_t>(5, 0));
  l.keep();
}

}  // namespace

void define_onnx_batch_normalization(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "BatchNormalization",
             .versions = {1, 6, 7, 9, 14, 15},
             .signature = {.inputs = "X:T, scale:T1, B:T1, input_mean:T2, input_var:T2",
                           .outputs = "Y:T, running_mean?:T2, running_var?:T2",
                           .types = "T: floats | T1: floats | T2: floats",
                           .attributes = "epsilon:float, momentum:float, training_mode:int"},
             .infer = infer_batch_normalization,
             .lift = lift_batch_normalization,
             .lower = lower_batch_normalization});
}

}  // namespace onnxrun::ops
