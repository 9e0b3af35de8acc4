// Operators of two inputs with broadcasting.
#include <cfloat>
#include <cmath>

#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

// Integers are computed in an unsigned type at least as wide as int, in which wrapping is defined.
template <class T>
using Wrapping = std::make_unsigned_t<decltype(T{} + T{})>;

#define ONNXRUN_WRAPPING(Name, operation)                                                            \
  struct Name {                                                                                      \
    __host__ __device__ explicit Name(const Formula&) {}                                             \
    template <class T>                                                                               \
    __device__ T operator()(T a, T b) const {                                                        \
      if constexpr (std::is_floating_point_v<T>) return a operation b;                               \
      else return static_cast<T>(static_cast<Wrapping<T>>(a) operation static_cast<Wrapping<T>>(b)); \
    }                                                                                                \
  }
ONNXRUN_WRAPPING(Add, +);
ONNXRUN_WRAPPING(Sub, -);
ONNXRUN_WRAPPING(Mul, *);

struct Div {
  Report report;
  __host__ __device__ explicit Div(const Formula& f) : report(f.report) {}
  template <class T>
  __device__ T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) return a / b;
    else {
      if (b == 0) {
        set(report);
        return 0;
      }
      if constexpr (std::is_signed_v<T>)
        if (b == -1) return static_cast<T>(Wrapping<T>(0) - static_cast<Wrapping<T>>(a));
      return static_cast<T>(a / b);
    }
  }
};
// NaN of either operand is kept.
struct Max {
  __host__ __device__ explicit Max(const Formula&) {}
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  __host__ __device__ explicit Min(const Formula&) {}
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};
// alpha: the sign is the dividend's, as in C.
struct Mod {
  Report report;
  bool fmod_;
  __host__ __device__ explicit Mod(const Formula& f) : report(f.report), fmod_(f.alpha != 0) {}
  template <class T>
  __device__ T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      const T rest = fmod(a, b);
      if (fmod_) return rest;
      if (rest == T(0)) return copysign(T(0), b);
      return (rest < T(0)) != (b < T(0)) && rest == rest ? rest + b : rest;
    } else {
      if (b == 0) {
        set(report);
        return 0;
      }
      if constexpr (std::is_signed_v<T>)
        if (b == -1) return 0;
      const T rest = static_cast<T>(a % b);
      if (fmod_ || rest == 0 || (rest < 0) == (b < 0)) return rest;
      return static_cast<T>(rest + b);
    }
  }
};
struct PRelu {
  __host__ __device__ explicit PRelu(const Formula&) {}
  template <class T>
  __device__ T operator()(T x, T slope) const {
    return x < T(0) ? static_cast<T>(x * slope) : x;
  }
};

#define ONNXRUN_TWO(Name, Result, expression)            \
  struct Name {                                          \
    __host__ __device__ explicit Name(const Formula&) {} \
    template <class T>                                   \
    __device__ Result operator()(T a, T b) const {       \
      return static_cast<Result>(expression);            \
    }                                                    \
  }
ONNXRUN_TWO(BitwiseAnd, T, a& b);
ONNXRUN_TWO(BitwiseOr, T, a | b);
ONNXRUN_TWO(BitwiseXor, T, a ^ b);
// Amounts outside [0, bits) shift everything out.
ONNXRUN_TWO(ShiftLeft, T, static_cast<uint64_t>(b) >= 8 * sizeof(T) ? 0 : static_cast<uint64_t>(a) << b);
ONNXRUN_TWO(ShiftRight, T, static_cast<uint64_t>(b) < 8 * sizeof(T) ? a >> b : a < T(0) ? -1 : 0);
ONNXRUN_TWO(Equal, bool, a == b);
ONNXRUN_TWO(Less, bool, a < b);
ONNXRUN_TWO(LessOrEqual, bool, a <= b);
ONNXRUN_TWO(Greater, bool, a > b);
ONNXRUN_TWO(GreaterOrEqual, bool, a >= b);
ONNXRUN_TWO(And, bool, a&& b);
ONNXRUN_TWO(Or, bool, a || b);
ONNXRUN_TWO(Xor, bool, a != b);

// Integer powers of integers by squaring; all else in floating point.
struct Pow {
  Report report;
  __host__ __device__ explicit Pow(const Formula& f) : report(f.report) {}
  template <class A, class B>
  __device__ A operator()(A a, B b) const {
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
      if (b < 0) {
        if (a == 0) set(report);
        if (a == static_cast<A>(-1)) return b % 2 != 0 ? a : static_cast<A>(1);
        return a == 1 ? 1 : 0;
      }
      Wrapping<A> result = 1, factor = static_cast<Wrapping<A>>(a);
      for (auto n = static_cast<uint64_t>(b); n != 0; n >>= 1) {
        if ((n & 1) != 0) result *= factor;
        factor *= factor;
      }
      return static_cast<A>(result);
    } else if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float>) {
      return pow(a, b);
    } else {
      const double power = pow(static_cast<double>(a), static_cast<double>(b));
      if constexpr (std::is_integral_v<A>) {
        // A device's pow is off by up to two units in the last place: what is a whole number but for that must not be cut to the one below.
        const double whole = rint(power);
        if (fabs(power - whole) <= 4 * DBL_EPSILON * fabs(whole)) return static_cast<A>(whole);
      }
      return static_cast<A>(power);
    }
  }
};

template <class F, class List>
BinaryLaunch same_type(DType type) {
  BinaryLaunch result = nullptr;
  with_element(List{}, type, [&]<class T>(std::type_identity<T>) { result = launch_two<F, T, T, T>; });
  return result;
}
template <class F, class List>
BinaryLaunch giving_bool(DType type) {
  BinaryLaunch result = nullptr;
  with_element(List{}, type, [&]<class T>(std::type_identity<T>) { result = launch_two<F, T, T, bool>; });
  return result;
}

struct Entry {
  std::string_view op;
  BinaryLaunch (*find)(DType type);
};
constexpr Entry kBinary[] = {
    {"Add", same_type<Add, NumberElements>},
    {"Sub", same_type<Sub, NumberElements>},
    {"Mul", same_type<Mul, NumberElements>},
    {"Div", same_type<Div, NumberElements>},
    {"Max", same_type<Max, NumberElements>},
    {"Min", same_type<Min, NumberElements>},
    {"Mod", same_type<Mod, NumberElements>},
    {"PRelu", same_type<PRelu, JoinElements<FloatElements, Elements<int32_t, int64_t, uint32_t, uint64_t>>>},
    {"BitwiseAnd", same_type<BitwiseAnd, IntegerElements>},
    {"BitwiseOr", same_type<BitwiseOr, IntegerElements>},
    {"BitwiseXor", same_type<BitwiseXor, IntegerElements>},
    {"BitShiftLEFT", same_type<ShiftLeft, IntegerElements>},
    {"BitShiftRIGHT", same_type<ShiftRight, IntegerElements>},
};
constexpr Entry kComparisons[] = {
    {"Equal", giving_bool<Equal, JoinElements<NumberElements, Elements<bool>>>},
    {"Less", giving_bool<Less, NumberElements>},
    {"LessOrEqual", giving_bool<LessOrEqual, NumberElements>},
    {"Greater", giving_bool<Greater, NumberElements>},
    {"GreaterOrEqual", giving_bool<GreaterOrEqual, NumberElements>},
    {"And", giving_bool<And, Elements<bool>>},
    {"Or", giving_bool<Or, Elements<bool>>},
    {"Xor", giving_bool<Xor, Elements<bool>>},
};

}  // namespace

BinaryLaunch find_binary(std::string_view op, DType type) {
  for (const Entry& entry : kBinary)
    if (entry.op == op) return entry.find(type);
  return nullptr;
}

BinaryLaunch find_comparison(std::string_view op, DType type) {
  for (const Entry& entry : kComparisons)
    if (entry.op == op) return entry.find(type);
  return nullptr;
}

BinaryLaunch find_pow(DType base, DType exponent) {
  BinaryLaunch result = nullptr;
  using Bases = JoinElements<FloatElements, Elements<int32_t, int64_t>>;
  with_element(Bases{}, base, [&]<class A>(std::type_identity<A>) {
    using Exponents = JoinElements<FloatElements, Elements<int32_t, int64_t>>;
    with_element(Exponents{}, exponent, [&]<class B>(std::type_identity<B>) { result = launch_two<Pow, A, B, A>; });
  });
  return result;
}

}  // namespace onnxrun::cuda
