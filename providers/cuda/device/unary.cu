// Operators of one input: Abs to Reciprocal, the trigonometric and hyperbolic functions, and the tests that give bool.
#include <cmath>

#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

#define ONNXRUN_FORMULA(Name, expression)                \
  struct Name {                                          \
    __host__ __device__ explicit Name(const Formula&) {} \
    template <class T>                                   \
    __device__ T operator()(T x) const {                 \
      return expression;                                 \
    }                                                    \
  }

struct Abs {
  __host__ __device__ explicit Abs(const Formula&) {}
  template <class T>
  __device__ T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return fabs(x);
    else if constexpr (std::is_signed_v<T>)
      return x < 0 ? static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x)) : x;
    else return x;
  }
};
struct Neg {
  __host__ __device__ explicit Neg(const Formula&) {}
  template <class T>
  __device__ T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return -x;
    else return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  }
};
ONNXRUN_FORMULA(Sign, x > T(0) ? T(1) : x < T(0) ? static_cast<T>(-1) : x);
ONNXRUN_FORMULA(BitwiseNot, static_cast<T>(~x));
ONNXRUN_FORMULA(Ceil, ceil(x));
ONNXRUN_FORMULA(Floor, floor(x));
ONNXRUN_FORMULA(Round, rint(x));
ONNXRUN_FORMULA(Sqrt, sqrt(x));
ONNXRUN_FORMULA(Exp, exp(x));
ONNXRUN_FORMULA(Log, log(x));
ONNXRUN_FORMULA(Erf, erf(x));
ONNXRUN_FORMULA(Reciprocal, T(1) / x);
ONNXRUN_FORMULA(Sin, sin(x));
ONNXRUN_FORMULA(Cos, cos(x));
ONNXRUN_FORMULA(Tan, tan(x));
ONNXRUN_FORMULA(Asin, asin(x));
ONNXRUN_FORMULA(Acos, acos(x));
ONNXRUN_FORMULA(Atan, atan(x));
ONNXRUN_FORMULA(Sinh, sinh(x));
ONNXRUN_FORMULA(Cosh, cosh(x));
ONNXRUN_FORMULA(Tanh, tanh(x));
ONNXRUN_FORMULA(Asinh, asinh(x));
ONNXRUN_FORMULA(Acosh, acosh(x));
ONNXRUN_FORMULA(Atanh, atanh(x));

template <class F, class List>
UnaryLaunch same_type(DType type) {
  UnaryLaunch result = nullptr;
  with_element(List{}, type, [&]<class T>(std::type_identity<T>) { result = launch_one<F, T, T>; });
  return result;
}

struct Entry {
  std::string_view op;
  UnaryLaunch (*find)(DType type);
};
constexpr Entry kEntries[] = {
    {"Abs", same_type<Abs, NumberElements>},    {"Neg", same_type<Neg, JoinElements<FloatElements, SignedElements>>},
    {"Sign", same_type<Sign, NumberElements>},  {"BitwiseNot", same_type<BitwiseNot, IntegerElements>},
    {"Ceil", same_type<Ceil, FloatElements>},   {"Floor", same_type<Floor, FloatElements>},
    {"Round", same_type<Round, FloatElements>}, {"Sqrt", same_type<Sqrt, FloatElements>},
    {"Exp", same_type<Exp, FloatElements>},     {"Log", same_type<Log, FloatElements>},
    {"Erf", same_type<Erf, FloatElements>},     {"Reciprocal", same_type<Reciprocal, FloatElements>},
    {"Sin", same_type<Sin, FloatElements>},     {"Cos", same_type<Cos, FloatElements>},
    {"Tan", same_type<Tan, FloatElements>},     {"Asin", same_type<Asin, FloatElements>},
    {"Acos", same_type<Acos, FloatElements>},   {"Atan", same_type<Atan, FloatElements>},
    {"Sinh", same_type<Sinh, FloatElements>},   {"Cosh", same_type<Cosh, FloatElements>},
    {"Tanh", same_type<Tanh, FloatElements>},   {"Asinh", same_type<Asinh, FloatElements>},
    {"Acosh", same_type<Acosh, FloatElements>}, {"Atanh", same_type<Atanh, FloatElements>},
};

struct IsNaN {
  __host__ __device__ explicit IsNaN(const Formula&) {}
  template <class T>
  __device__ bool operator()(T x) const {
    return x != x;
  }
};
struct IsInf {
  bool negative, positive;
  __host__ __device__ explicit IsInf(const Formula& f) : negative(f.alpha != 0), positive(f.beta != 0) {}
  template <class T>
  __device__ bool operator()(T x) const {
    const T infinity = static_cast<T>(HUGE_VAL);
    return (positive && x == infinity) || (negative && x == -infinity);
  }
};
struct Not {
  __host__ __device__ explicit Not(const Formula&) {}
  __device__ bool operator()(bool x) const { return !x; }
};

template <class F>
UnaryLaunch test_of_floats(DType type) {
  UnaryLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_one<F, T, bool>; });
  return result;
}

}  // namespace

UnaryLaunch find_unary(std::string_view op, DType type) {
  for (const Entry& entry : kEntries)
    if (entry.op == op) return entry.find(type);
  return nullptr;
}

UnaryLaunch find_predicate(std::string_view op, DType type) {
  if (op == "IsNaN") return test_of_floats<IsNaN>(type);
  if (op == "IsInf") return test_of_floats<IsInf>(type);
  if (op == "Not" && type == DType::kBool) return launch_one<Not, bool, bool>;
  return nullptr;
}

}  // namespace onnxrun::cuda
