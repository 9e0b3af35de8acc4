// Kernels of the activations of one input.
#include "ops/attributes/activation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "cpu/loops/fast.h"

namespace onnxrun::cpu {
namespace {

using ops::ActivationAttributes;

template <class T>
using Formula = T (*)(T x, const ActivationAttributes& a);

template <class T>
T relu(T x, const ActivationAttributes&) {
  return x < T(0) ? T(0) : x;
}
template <class T>
T leaky_relu(T x, const ActivationAttributes& a) {
  return x < T(0) ? T(a.alpha) * x : x;
}
template <class T>
T elu(T x, const ActivationAttributes& a) {
  return x < T(0) ? T(a.alpha) * std::expm1(x) : x;
}
template <class T>
T celu(T x, const ActivationAttributes& a) {
  const T alpha = T(a.alpha);
  const T low = alpha * std::expm1(x / alpha);
  return (x < T(0) ? T(0) : x) + (low > T(0) ? T(0) : low);
}
template <class T>
T selu(T x, const ActivationAttributes& a) {
  return T(a.gamma) * (x < T(0) ? T(a.alpha) * std::expm1(x) : x);
}
template <class T>
T logistic(T x) {
  const T e = std::exp(-std::fabs(x));
  return (x < T(0) ? e : T(1)) / (T(1) + e);
}
template <class T>
T sigmoid(T x, const ActivationAttributes&) {
  return logistic(x);
}
template <class T>
T hard_sigmoid(T x, const ActivationAttributes& a) {
  const T y = T(a.alpha) * x + T(a.beta);
  return y < T(0) ? T(0) : y > T(1) ? T(1) : y;
}
template <class T>
T hard_swish(T x, const ActivationAttributes&) {
  const T y = x / T(6) + T(0.5);
  return x * (y < T(0) ? T(0) : y > T(1) ? T(1) : y);
}
template <class T>
T positive_softplus(T x) {
  return (x < T(0) ? T(0) : x) + std::log1p(std::exp(-std::fabs(x)));
}
template <class T>
T softplus(T x, const ActivationAttributes&) {
  return positive_softplus(x);
}
template <class T>
T softsign(T x, const ActivationAttributes&) {
  return x / (T(1) + std::fabs(x));
}
template <class T>
T thresholded_relu(T x, const ActivationAttributes& a) {
  return x > T(a.alpha) ? x : T(0);
}
template <class T>
T mish(T x, const ActivationAttributes&) {
  return x * std::tanh(positive_softplus(x));
}
template <class T>
T gelu(T x, const ActivationAttributes&) {
  return T(0.5) * x * std::erfc(x * T(-0.70710678118654752440));
}
template <class T>
T gelu_tanh(T x, const ActivationAttributes&) {
  // 0.5 * (1 + tanh(u)) is the logistic function of 2u.
  return x * logistic(T(1.59576912160573071176) * (x + T(0.044715) * x * x * x));
}
template <class T>
T swish(T x, const ActivationAttributes& a) {
  return x * logistic(T(a.alpha) * x);
}
template <class T>
T shrink(T x, const ActivationAttributes& a) {
  return x < -T(a.lambd) ? x + T(a.bias) : x > T(a.lambd) ? x - T(a.bias) : T(0);
}

// 64-bit integers in the type that holds them all.
template <class T>
void shrink_wide(const Row& row) {
  const auto& a = *static_cast<const ActivationAttributes*>(row.parameters);
  unary_row<T, T>(row, [&](T x) {
    const long double y = shrink(static_cast<long double>(x), a);
    if (y >= static_cast<long double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    if (y <= static_cast<long double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    return static_cast<T>(y);
  });
}

template <class T, Formula<T> kFormula>
void formula_row(const Row& row) {
  const ActivationAttributes a = *static_cast<const ActivationAttributes*>(row.parameters);
  unary_row<T, T>(row, [&](T x) { return kFormula(x, a); });
}

struct Entry {
  const char* name;
  RowKernel float32, float64;
  int cost;
};

constexpr Entry kEntries[] = {
    {"Relu", formula_row<float, relu>, formula_row<double, relu>, 1},
    {"LeakyRelu", formula_row<float, leaky_relu>, formula_row<double, leaky_relu>, 1},
    {"Elu", formula_row<float, elu>, formula_row<double, elu>, 16},
    {"Celu", formula_row<float, celu>, formula_row<double, celu>, 16},
    {"Selu", formula_row<float, selu>, formula_row<double, selu>, 16},
    {"Sigmoid", formula_row<float, sigmoid>, formula_row<double, sigmoid>, 16},
    {"HardSigmoid", formula_row<float, hard_sigmoid>, formula_row<double, hard_sigmoid>, 2},
    {"HardSwish", formula_row<float, hard_swish>, formula_row<double, hard_swish>, 2},
    {"Softplus", formula_row<float, softplus>, formula_row<double, softplus>, 32},
    {"Softsign", formula_row<float, softsign>, formula_row<double, softsign>, 4},
    {"ThresholdedRelu", formula_row<float, thresholded_relu>, formula_row<double, thresholded_relu>, 1},
    {"Mish", formula_row<float, mish>, formula_row<double, mish>, 32},
    {"Gelu", formula_row<float, gelu>, formula_row<double, gelu>, 32},
    {"Swish", formula_row<float, swish>, formula_row<double, swish>, 16},
    {"Shrink", formula_row<float, shrink>, formula_row<double, shrink>, 2},
};
constexpr Entry kGeluByTanh = {"Gelu", formula_row<float, gelu_tanh>, formula_row<double, gelu_tanh>, 16};

const Entry& find(const Node& node) {
  if (node.op() == "Gelu" && ops::gelu_by_tanh(node)) return kGeluByTanh;
  for (const Entry& entry : kEntries)
    if (node.op() == entry.name) return entry;
  base::fail(base::Code::kInternal, "{} is not an activation", node.op());
}

RowChoice integer_choice(const Node& node, DType type) {
  if (node.op() == "Relu") {
    RowChoice result;
    dispatch(SignedInts{}, type, [&](auto t) {
      using T = typename decltype(t)::type;
      result = {formula_row<T, relu>};
    });
    return result;
  }
  if (node.op() != "Shrink") return {};
  if (type == DType::kInt64) return {shrink_wide<int64_t>};
  if (type == DType::kUint64) return {shrink_wide<uint64_t>};
  return all_in(DType::kFloat64, formula_row<double, shrink>);
}

struct Activation {
  static RowKernel float_row(std::string_view op) { return simd::float_activation(op); }
  static constexpr size_t kInputs = 1;
  using Parameters = ActivationAttributes;

  static RowChoice choose(const Node& node) {
    const DType type = dtype(node.input(0));
    if (base::is_integer(type)) return integer_choice(node, type);
    const DType work = work_type(type);
    if (work == DType::kFloat32) return all_in(work, find(node).float32);
    if (work == DType::kFloat64) return all_in(work, find(node).float64);
    return {};
  }
  static Parameters parameters(const Node& node) { return ops::read_activation(node.op(), node); }
  static int cost(const Node& node) { return find(node).cost; }
  static std::string_view simd_name(const Node& node) {
    if (node.op() == "Gelu" && ops::gelu_by_tanh(node)) return "GeluTanh";
    if (node.op() == "Celu" && !(parameters(node).alpha > 0))
      return "";  // the fast kernel takes e^x - 1 of negative x only
    return node.op();
  }
};

}  // namespace

void kernels_onnx_activation(provider::KernelTable& table) {
  for (const Entry& entry : kEntries) {
    table.add<ElementwiseKernel<Fast<Activation>>>("", entry.name, "simd");
    table.add<ElementwiseKernel<Activation>>("", entry.name, "reference");
  }
}

}  // namespace onnxrun::cpu
