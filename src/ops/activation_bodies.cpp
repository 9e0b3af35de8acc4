// Activations and comparisons as other operators.
#include "ops/activation_bodies.h"

#include "ops/attributes/activation.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::Expansion;
using ir::Tensor;
using ir::ValueId;

// Emits formulas over input 0 and constants of its type.
class Formula {
 public:
  explicit Formula(Expansion& e)
      : e_(e), dtype_(e.fact(e.input(0)).dtype), attributes(read_activation(e.source().op->name, e.attributes())) {}

  bool possible() const {
    return dtype_ == DType::kFloat32 || dtype_ == DType::kFloat64 || dtype_ == DType::kFloat16 ||
           dtype_ == DType::kBfloat16;
  }

  ValueId x() const { return e_.input(0); }
  ValueId number(double value) {
    switch (dtype_) {
      case DType::kFloat64: return e_.constant(Tensor::scalar(value));
      case DType::kFloat16: return e_.constant(Tensor::scalar(base::Float16(value)));
      case DType::kBfloat16: return e_.constant(Tensor::scalar(base::Bfloat16(value)));
      default: return e_.constant(Tensor::scalar(static_cast<float>(value)));
    }
  }
  ValueId emit(std::string_view op, ValueId a) { return e_.emit(op, {a}); }
  ValueId emit(std::string_view op, ValueId a, ValueId b) { return e_.emit(op, {a, b}); }
  ValueId where(ValueId condition, ValueId yes, ValueId no) { return e_.emit("Where", {condition, yes, no}); }
  ValueId negative() { return emit("Less", x(), number(0)); }

  bool is(std::string_view op, ValueId a, ValueId b) {
    e_.finish(op, {a, b});
    return true;
  }
  bool is_where(ValueId condition, ValueId yes, ValueId no) {
    e_.finish("Where", {condition, yes, no});
    return true;
  }

  // alpha (e^x - 1) where x is negative, x elsewhere.
  ValueId elu(ValueId value, double alpha) {
    const ValueId low = emit("Mul", number(alpha), emit("Sub", emit("Exp", value), number(1)));
    return where(emit("Less", value, number(0)), low, value);
  }
  // ln(1 + e^x) in a form that does not overflow.
  ValueId softplus() {
    const ValueId decayed = emit("Exp", emit("Neg", emit("Abs", x())));
    return emit("Add", emit("Max", x(), number(0)), emit("Log", emit("Add", decayed, number(1))));
  }
  ValueId hard_sigmoid(double alpha, double beta) {
    const ValueId line = emit("Add", emit("Mul", number(alpha), x()), number(beta));
    return emit("Max", number(0), emit("Min", number(1), line));
  }

 private:
  Expansion& e_;
  DType dtype_;

 public:
  const ActivationAttributes attributes;
};

}  // namespace

bool decompose_relu(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is("Max", f.x(), f.number(0));
}

bool decompose_leaky_relu(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is_where(f.negative(), f.emit("Mul", f.number(f.attributes.alpha), f.x()), f.x());
}

bool decompose_prelu(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is_where(f.negative(), f.emit("Mul", e.input(1), f.x()), f.x());
}

bool decompose_elu(Expansion& e) {
  Formula f(e);
  if (!f.possible()) return false;
  e.bind(0, f.elu(f.x(), f.attributes.alpha));
  return true;
}

bool decompose_celu(Expansion& e) {
  Formula f(e);
  if (!f.possible()) return false;
  const ValueId low = f.emit("Sub", f.emit("Exp", f.emit("Div", f.x(), f.number(f.attributes.alpha))), f.number(1));
  const ValueId below = f.emit("Min", f.number(0), f.emit("Mul", f.number(f.attributes.alpha), low));
  return f.is("Add", f.emit("Max", f.number(0), f.x()), below);
}

bool decompose_selu(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is("Mul", f.number(f.attributes.gamma), f.elu(f.x(), f.attributes.alpha));
}

bool decompose_hard_sigmoid(Expansion& e) {
  Formula f(e);
  if (!f.possible()) return false;
  e.bind(0, f.hard_sigmoid(f.attributes.alpha, f.attributes.beta));
  return true;
}

bool decompose_hard_swish(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is("Mul", f.x(), f.hard_sigmoid(1.0 / 6.0, 0.5));
}

bool decompose_softplus(Expansion& e) {
  Formula f(e);
  if (!f.possible()) return false;
  e.bind(0, f.softplus());
  return true;
}

bool decompose_softsign(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is("Div", f.x(), f.emit("Add", f.number(1), f.emit("Abs", f.x())));
}

bool decompose_thresholded_relu(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is_where(f.emit("Greater", f.x(), f.number(f.attributes.alpha)), f.x(), f.number(0));
}

bool decompose_mish(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is("Mul", f.x(), f.emit("Tanh", f.softplus()));
}

bool decompose_gelu(Expansion& e) {
  Formula f(e);
  if (!f.possible()) return false;
  ValueId inner;
  if (gelu_by_tanh(e.attributes())) {
    const ValueId cube = f.emit("Mul", f.x(), f.emit("Mul", f.x(), f.x()));
    const ValueId sum = f.emit("Add", f.x(), f.emit("Mul", f.number(0.044715), cube));
    inner = f.emit("Tanh", f.emit("Mul", f.number(0.79788456080286535588), sum));
  } else {
    inner = f.emit("Erf", f.emit("Mul", f.number(0.70710678118654752440), f.x()));
  }
  return f.is("Mul", f.emit("Mul", f.number(0.5), f.x()), f.emit("Add", f.number(1), inner));
}

bool decompose_shrink(Expansion& e) {
  Formula f(e);
  if (!f.possible()) return false;
  const ValueId bias = f.number(f.attributes.bias), zero = f.number(0);
  const ValueId above =
      f.where(f.emit("Greater", f.x(), f.number(f.attributes.lambd)), f.emit("Sub", f.x(), bias), zero);
  return f.is_where(f.emit("Less", f.x(), f.number(-f.attributes.lambd)), f.emit("Add", f.x(), bias), above);
}

bool decompose_swish(Expansion& e) {
  Formula f(e);
  return f.possible() && f.is("Mul", f.x(), f.emit("Sigmoid", f.emit("Mul", f.number(f.attributes.alpha), f.x())));
}

bool decompose_greater_or_equal(Expansion& e) {
  e.finish("Or", {e.emit("Greater", {e.input(0), e.input(1)}), e.emit("Equal", {e.input(0), e.input(1)})});
  return true;
}

bool decompose_less_or_equal(Expansion& e) {
  e.finish("Or", {e.emit("Less", {e.input(0), e.input(1)}), e.emit("Equal", {e.input(0), e.input(1)})});
  return true;
}

}  // namespace onnxrun::ops
