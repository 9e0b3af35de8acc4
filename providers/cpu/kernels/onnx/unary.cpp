// Kernels of the operators of one input: Abs to Reciprocal, and the trigonometric and hyperbolic functions.
#include <cmath>
#include <string_view>

#include "cpu/loops/fast.h"
#include "cpu/loops/number_functions.h"

namespace onnxrun::cpu {
namespace {

using numbers::Abs;
using numbers::Ceil;
using numbers::Floor;
using numbers::Neg;
using numbers::Reciprocal;
using numbers::Round;
using numbers::Sign;
using numbers::Sqrt;

struct Exp {
  template <class T>
  static T of(T x) {
    return std::exp(x);
  }
};
struct Log {
  template <class T>
  static T of(T x) {
    return std::log(x);
  }
};
struct Erf {
  template <class T>
  static T of(T x) {
    return std::erf(x);
  }
};
struct Sin {
  template <class T>
  static T of(T x) {
    return std::sin(x);
  }
};
struct Cos {
  template <class T>
  static T of(T x) {
    return std::cos(x);
  }
};
struct Tan {
  template <class T>
  static T of(T x) {
    return std::tan(x);
  }
};
struct Asin {
  template <class T>
  static T of(T x) {
    return std::asin(x);
  }
};
struct Acos {
  template <class T>
  static T of(T x) {
    return std::acos(x);
  }
};
struct Atan {
  template <class T>
  static T of(T x) {
    return std::atan(x);
  }
};
struct Sinh {
  template <class T>
  static T of(T x) {
    return std::sinh(x);
  }
};
struct Cosh {
  template <class T>
  static T of(T x) {
    return std::cosh(x);
  }
};
struct Tanh {
  template <class T>
  static T of(T x) {
    return std::tanh(x);
  }
};
struct Asinh {
  template <class T>
  static T of(T x) {
    return std::asinh(x);
  }
};
struct Acosh {
  template <class T>
  static T of(T x) {
    return std::acosh(x);
  }
};
struct Atanh {
  template <class T>
  static T of(T x) {
    return std::atanh(x);
  }
};

struct Entry {
  const char* name;
  RowKernel float32, float64;
  int cost;
};

template <class F>
constexpr Entry entry(const char* name, int cost) {
  return {name, unary_kernel<F, float>, unary_kernel<F, double>, cost};
}

constexpr Entry kEntries[] = {
    entry<Abs>("Abs", 1),
    entry<Neg>("Neg", 1),
    entry<Sign>("Sign", 1),
    entry<Ceil>("Ceil", 1),
    entry<Floor>("Floor", 1),
    entry<Round>("Round", 1),
    entry<Sqrt>("Sqrt", 4),
    entry<Exp>("Exp", 8),
    entry<Log>("Log", 8),
    entry<Erf>("Erf", 16),
    entry<Reciprocal>("Reciprocal", 4),
    entry<Sin>("Sin", 16),
    entry<Cos>("Cos", 16),
    entry<Tan>("Tan", 32),
    entry<Asin>("Asin", 16),
    entry<Acos>("Acos", 16),
    entry<Atan>("Atan", 16),
    entry<Sinh>("Sinh", 32),
    entry<Cosh>("Cosh", 32),
    entry<Tanh>("Tanh", 16),
    entry<Asinh>("Asinh", 32),
    entry<Acosh>("Acosh", 32),
    entry<Atanh>("Atanh", 32),
};

const Entry& find(std::string_view op) {
  for (const Entry& entry : kEntries)
    if (op == entry.name) return entry;
  base::fail(base::Code::kInternal, "{} is not an operator of one input", op);
}

template <class F, class List>
RowKernel integer_kernel(DType type) {
  RowKernel result = nullptr;
  dispatch(List{}, type, [&](auto t) { result = unary_kernel<F, typename decltype(t)::type>; });
  return result;
}

struct Unary {
  static RowKernel other_row(std::string_view op, DType work) { return simd::number_row(op, work); }
  static constexpr size_t kInputs = 1;

  static RowChoice choose(const Node& node) {
    const DType type = dtype(node.input(0));
    if (base::is_integer(type)) {
      if (node.op() == "Abs") return {integer_kernel<Abs, Ints>(type)};
      if (node.op() == "Neg") return {integer_kernel<Neg, SignedInts>(type)};
      if (node.op() == "Sign") return {integer_kernel<Sign, Ints>(type)};
      return {};
    }
    const DType work = work_type(type);
    if (work == DType::kFloat32) return all_in(work, find(node.op()).float32);
    if (work == DType::kFloat64) return all_in(work, find(node.op()).float64);
    return {};
  }

  static int cost(const Node& node) { return find(node.op()).cost; }
};

}  // namespace

void kernels_onnx_unary(provider::KernelTable& table) {
  for (const Entry& entry : kEntries) {
    table.add<ElementwiseKernel<Fast<Unary>>>("", entry.name, "simd");
    table.add<ElementwiseKernel<Unary>>("", entry.name, "reference");
  }
}

}  // namespace onnxrun::cpu
