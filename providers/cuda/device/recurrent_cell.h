// The cells of RNN, GRU and LSTM: from the sums of their gates to the next state.
#pragma once

#include <cmath>

#include "cuda/device/recurrent.h"

namespace onnxrun::cuda {

// Numbers are those of ops::attributes::Activation.
template <class W>
__device__ W activate(const GateFunction& f, W x) {
  const W alpha = static_cast<W>(f.alpha), beta = static_cast<W>(f.beta);
  switch (f.kind) {
    case 0: return x > 0 || x != x ? x : W(0);
    case 1: return tanh(x);
    case 2: return W(1) / (W(1) + exp(-x));
    case 3: return alpha * x + beta;
    case 4: return x >= 0 || x != x ? x : alpha * x;
    case 5: return x >= alpha || x != x ? x : W(0);
    case 6: return alpha * tanh(beta * x);
    case 7: {
      const W y = alpha * x + beta;
      return y < 0 ? W(0) : y > 1 ? W(1) : y;
    }
    case 8: return x >= 0 || x != x ? x : alpha * expm1(x);
    case 9: return x / (W(1) + fabs(x));
    default: return (x > 0 ? x : W(0)) + log1p(exp(-fabs(x)));
  }
}

// A gate from its sum.
template <class W>
__device__ W gate(const CellRules& rules, const GateFunction& function, W x) {
  if (rules.clips) {
    const W bound = static_cast<W>(rules.clip);
    x = x < -bound ? -bound : x > bound ? bound : x;
  }
  return activate(function, x);
}

// What a GRU that resets before its product multiplies: x(g) and r(g) are a gate's sums of the input and of the state, with their biases.
template <class W, class X, class R>
__device__ W reset_state(const CellRules& rules, const GateFunction* functions, W h, X&& x, R&& r) {
  return gate(rules, functions[0], x(1) + r(1)) * h;
}

// The next state; an LSTM's cell changes. look(which, c) is what a peephole adds; a GRU that resets first has in r(2) the product of its reset state.
template <class W, class X, class R, class P>
__device__ W next_state(const CellRules& rules, const GateFunction* functions, W h, W& c, X&& x, R&& r, P&& look) {
  switch (rules.cell) {
    case RecurrentCell::kRnn: return gate(rules, functions[0], x(0) + r(0));
    case RecurrentCell::kGru: {
      const W z = gate(rules, functions[0], x(0) + r(0));
      const W recurrent = rules.linear_before_reset ? gate(rules, functions[0], x(1) + r(1)) * r(2) : r(2);
      return (W(1) - z) * gate(rules, functions[1], x(2) + recurrent) + z * h;
    }
    default: {
      const W i = gate(rules, functions[0], x(0) + r(0) + look(0, c));
      const W f = rules.input_forget ? W(1) - i : gate(rules, functions[0], x(2) + r(2) + look(2, c));
      c = f * c + i * gate(rules, functions[1], x(3) + r(3));
      return gate(rules, functions[0], x(1) + r(1) + look(1, c)) * gate(rules, functions[2], c);
    }
  }
}

}  // namespace onnxrun::cuda
