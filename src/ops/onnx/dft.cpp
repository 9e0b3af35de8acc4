// DFT (ONNX, opset 20) and STFT (opset 17).
#include "ops/attributes/fourier.h"

#include "base/shape.h"
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

// The known value of a scalar input; unknown otherwise.
Dim scalar(InferContext& c, size_t i, const char* name, int64_t least) {
  if (const Shape* shape = c.shape(i)) {
    const Dim count = ir::element_count(*shape);
    if (shape->size() > 1 || (count.is_constant() && count.value() != 1))
      c.fail("'{}' must be a scalar, got {}", name, c.input(i).to_string());
  }
  const auto elements = c.elements(i);
  if (!elements || elements->size() != 1) return {};
  const Dim& value = elements->front();
  if (value.is_constant() && value.value() < least)
    c.fail("'{}' must be {} or more, got {}", name, least, value.value());
  return value;
}

void check_parts(InferContext& c, const Shape& shape, std::string_view name) {
  if (shape.size() < 2) c.fail("'{}' must have rank 2 or more, got {}", name, c.input(0).to_string());
  const Dim& parts = shape.back();
  if (parts.is_constant() && parts.value() != 1 && parts.value() != 2)
    c.fail("the last dim of '{}' must be 1 (real) or 2 (complex), got {}", name, parts.value());
}

void infer_dft(InferContext& c) {
  const auto kind = attributes::Fourier::read(c.attributes());
  c.set(0, c.dtype(0));
  const Shape* input = c.shape(0);
  if (input == nullptr) return;
  check_parts(c, *input, "input");
  if (kind.onesided && input->back().is_constant() && input->back().value() != (kind.inverse ? 2 : 1))
    c.fail("a one-sided {} takes {} input, got {}", kind.inverse ? "inverse DFT" : "DFT",
           kind.inverse ? "complex" : "real", c.input(0).to_string());
  Shape out = *input;
  out.back() = kind.to_real() ? 1 : 2;
  int64_t axis = -2;
  if (c.has_input(2)) {
    const auto given = c.ints(2);
    if (!given) {
      Shape unknown(out.size());
      unknown.back() = out.back();
      return c.set(0, c.dtype(0), std::move(unknown));
    }
    if (given->size() != 1) c.fail("'axis' must be a scalar, got {}", c.input(2).to_string());
    axis = given->front();
  }
  axis = base::normalize_axis(axis, c.rank(0));
  if (axis == c.rank(0) - 1)
    c.fail("'axis' cannot be the last dim of 'input', which holds the real and imaginary parts");
  Dim& size = out[static_cast<size_t>(axis)];
  Dim length = size;
  if (c.has_input(1)) length = scalar(c, 1, "dft_length", 1);
  else if (kind.to_real()) length = Dim(2) * (size - Dim(1));
  if (length.is_constant() && length.value() < 1) c.fail("a transform of {} elements is not defined", length.value());
  size = kind.onesided && !kind.inverse ? floor_div(length, 2) + Dim(1) : length;
  c.set(0, c.dtype(0), std::move(out));
}

// The axis was an attribute before opset 20, by default 1.
void lift_dft(ir::Expansion& e, int since) {
  if (since >= 20) return e.keep();
  const int64_t axis = e.attributes().get_int("axis", 1);
  e.drop({"axis"});
  e.set_input(2, e.constant(base::Tensor::scalar<int64_t>(axis)));
  e.keep();
}

void infer_stft(InferContext& c) {
  c.set(0, c.dtype(0));
  const Shape* signal = c.shape(0);
  if (signal == nullptr) return;
  if (signal->size() != 3) c.fail("'signal' must have rank 3, got {}", c.input(0).to_string());
  check_parts(c, *signal, "signal");
  const Dim step = scalar(c, 1, "frame_step", 1);
  Dim length = (*signal)[1];
  const Shape* window = c.shape(2);
  if (window != nullptr && window->size() != 1) c.fail("'window' must have rank 1, got {}", c.input(2).to_string());
  if (c.has_input(2)) length = window != nullptr ? window->front() : Dim();
  if (c.has_input(3)) {
    const Dim given = scalar(c, 3, "frame_length", 1);
    length = c.has_input(2) ? unify(c, length, given, "the length of 'window' and 'frame_length'") : given;
  }
  if (length.is_constant() && (*signal)[1].is_constant() &&
      (length.value() < 1 || length.value() > (*signal)[1].value()))
    c.fail("a frame of {} does not fit in a signal of {}", length.value(), (*signal)[1].value());
  Dim frames;
  if (!step.is_unknown()) frames = floor_div((*signal)[1] - length, step) + Dim(1);
  const bool onesided = c.attributes().get_int("onesided", 1) != 0;
  if (onesided && (*signal)[2].is_constant() && (*signal)[2].value() == 2)
    c.fail("a one-sided STFT takes a real signal, got {}", c.input(0).to_string());
  c.set(0, c.dtype(0), Shape{(*signal)[0], frames, onesided ? floor_div(length, 2) + Dim(1) : length, 2});
}

void lower_dft(ir::Lowering& l, int opset) {
  if (opset < 20) {
    if (l.has_input(2)) {
      l.input_to_int(2, "axis");
    } else {
      const int64_t rank = l.fact(l.input(0)).rank();
      if (rank < 0) return l.refuse("the rank of 'input' is not known, and so not which axis the last but one is");
      l.attributes().set("axis", rank - 2);
    }
  }
  l.keep();
}

}  // namespace

void define_onnx_dft(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "DFT",
             .versions = {17, 20},
             .signature = {.inputs = "input:T1, dft_length?:T2, axis?:int64",
                           .outputs = "output:T1",
                           .types = "T1: floats | T2: int32 int64",
                           .attributes = "inverse:int, onesided:int"},
             .infer = infer_dft,
             .lift = lift_dft,
             .lower = lower_dft});
  table.add({.domain = "",
             .name = "STFT",
             .versions = {17},
             .signature = {.inputs = "signal:T1, frame_step:T2, window?:T1, frame_length?:T2",
                           .outputs = "output:T1",
                           .types = "T1: floats | T2: int32 int64",
                           .attributes = "onesided:int"},
             .infer = infer_stft});
}

}  // namespace onnxrun::ops
