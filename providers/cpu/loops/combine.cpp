// Reductions of one run of elements into another, for every arithmetic type.
#include "cpu/loops/combine.h"

#include <complex>

#include "cpu/cpu.h"

namespace onnxrun::cpu {
namespace {

using ops::attributes::ReductionMode;

template <class T>
T combine(ReductionMode mode, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return mode == ReductionMode::kAdd || mode == ReductionMode::kMax ? a || b : a && b;
  } else if constexpr (std::is_integral_v<T>) {
    switch (mode) {
      case ReductionMode::kAdd: return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
      case ReductionMode::kMul: return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
      case ReductionMode::kMax: return a < b ? b : a;
      default: return b < a ? b : a;
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    switch (mode) {
      case ReductionMode::kAdd: return a + b;
      case ReductionMode::kMul: return a * b;
      case ReductionMode::kMax: return a != a || a > b ? a : b;
      default: return a != a || a < b ? a : b;
    }
  } else {
    return mode == ReductionMode::kAdd ? a + b : a * b;
  }
}

template <class T, ReductionMode kMode>
void run(void* to, const void* from, int64_t count) {
  T* out = static_cast<T*>(to);
  const T* in = static_cast<const T*>(from);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
      out[i] = T(combine<float>(kMode, static_cast<float>(out[i]), static_cast<float>(in[i])));
    } else {
      out[i] = combine<T>(kMode, out[i], in[i]);
    }
  }
}

template <class T>
Combine of_type(ReductionMode mode) {
  switch (mode) {
    case ReductionMode::kAdd: return run<T, ReductionMode::kAdd>;
    case ReductionMode::kMul: return run<T, ReductionMode::kMul>;
    case ReductionMode::kMax: return run<T, ReductionMode::kMax>;
    case ReductionMode::kMin: return run<T, ReductionMode::kMin>;
    default: return nullptr;
  }
}

template <class T>
Combine of_complex(ReductionMode mode) {
  if (mode == ReductionMode::kAdd) return run<T, ReductionMode::kAdd>;
  if (mode == ReductionMode::kMul) return run<T, ReductionMode::kMul>;
  return nullptr;
}

}  // namespace

Combine find_combine(DType dtype, ReductionMode mode) {
  if (dtype == DType::kComplex64) return of_complex<std::complex<float>>(mode);
  if (dtype == DType::kComplex128) return of_complex<std::complex<double>>(mode);
  Combine found = nullptr;
  dispatch(Join<Join<Floats, Ints>, Types<bool>>{}, dtype,
           [&]<class T>(std::type_identity<T>) { found = of_type<T>(mode); });
  return found;
}

}  // namespace onnxrun::cpu
