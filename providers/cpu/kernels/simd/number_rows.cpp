// Row kernels of comparisons, logic and simple arithmetic at one instruction set level.
#include "cpu/kernels/simd/number_rows.h"

#include <cstdint>
#include <utility>

#include "cpu/loops/number_functions.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

using base::DType;

template <class F, class T>
void compare_row(const Row& row) {
  binary_row<T, T, uint8_t>(row, [](T a, T b) { return static_cast<uint8_t>(F::of(a, b)); });
}

// a < b is b > a.
template <class F, class T>
void swapped_row(const Row& row) {
  Row other = row;
  std::swap(other.in[0], other.in[1]);
  std::swap(other.stride[0], other.stride[1]);
  compare_row<F, T>(other);
}

template <class T>
void is_nan_row(const Row& row) {
  unary_row<T, uint8_t>(row, [](T x) { return static_cast<uint8_t>(x != x); });
}

struct Entry {
  std::string_view op;
  RowKernel kernel;
};

// Of comparisons.
template <class T>
constexpr Entry kCompared[] = {
    {"Equal", compare_row<numbers::Equal, T>},
    {"Greater", compare_row<numbers::Greater, T>},
    {"Less", swapped_row<numbers::Greater, T>},
    {"GreaterOrEqual", compare_row<numbers::GreaterOrEqual, T>},
    {"LessOrEqual", swapped_row<numbers::GreaterOrEqual, T>},
};
template <class T>
constexpr Entry kNan[] = {{"IsNaN", is_nan_row<T>}};
template <class T>
constexpr Entry kEqual[] = {{"Equal", compare_row<numbers::Equal, T>}};

constexpr Entry kLogic[] = {
    {"Equal", compare_row<numbers::Equal, uint8_t>}, {"And", binary_kernel<numbers::And, uint8_t>},
    {"Or", binary_kernel<numbers::Or, uint8_t>},     {"Xor", binary_kernel<numbers::Xor, uint8_t>},
    {"Not", unary_kernel<numbers::Not, uint8_t>},
};

template <class T>
constexpr Entry kOrdered[] = {
    {"Min", binary_kernel<numbers::Min, T>},
    {"Max", binary_kernel<numbers::Max, T>},
    {"Sign", unary_kernel<numbers::Sign, T>},
};

// For all integers of one size.
template <class T>
constexpr Entry kRing[] = {
    {"Add", binary_kernel<numbers::Add, T>},
    {"Sub", binary_kernel<numbers::Sub, T>},
    {"Mul", binary_kernel<numbers::Mul, T>},
    {"Neg", unary_kernel<numbers::Neg, T>},
};

template <class T>
constexpr Entry kSigned[] = {{"Abs", unary_kernel<numbers::Abs, T>}};

template <class T>
constexpr Entry kFloats[] = {
    {"Abs", unary_kernel<numbers::Abs, T>},     {"Neg", unary_kernel<numbers::Neg, T>},
    {"Ceil", unary_kernel<numbers::Ceil, T>},   {"Floor", unary_kernel<numbers::Floor, T>},
    {"Round", unary_kernel<numbers::Round, T>},
};

// Float32's are in float_rows.cpp.
constexpr Entry kDoubles[] = {
    {"Add", binary_kernel<numbers::Add, double>},
    {"Sub", binary_kernel<numbers::Sub, double>},
    {"Mul", binary_kernel<numbers::Mul, double>},
    {"Sqrt", unary_kernel<numbers::Sqrt, double>},
    {"Reciprocal", unary_kernel<numbers::Reciprocal, double>},
};

template <size_t... kSizes>
RowKernel find(std::string_view op, const Entry (&... tables)[kSizes]) {
  RowKernel result = nullptr;
  const auto look = [&](const auto& table) {
    for (const Entry& entry : table)
      if (result == nullptr && entry.op == op) result = entry.kernel;
  };
  (look(tables), ...);
  return result;
}

}  // namespace

RowKernel truth_row(std::string_view op, DType type) {
  switch (type) {
    case DType::kBool: return find(op, kLogic);
    case DType::kFloat32: return find(op, kCompared<float>, kNan<float>);
    case DType::kFloat64: return find(op, kCompared<double>, kNan<double>);
    case DType::kInt8: return find(op, kCompared<int8_t>);
    case DType::kInt32: return find(op, kCompared<int32_t>);
    case DType::kInt64: return find(op, kCompared<int64_t>);
    case DType::kUint8: return find(op, kCompared<uint8_t>);
    case DType::kInt16:
    case DType::kUint16: return find(op, kEqual<uint16_t>);
    case DType::kUint32: return find(op, kEqual<uint32_t>);
    case DType::kUint64: return find(op, kEqual<uint64_t>);
    default: return nullptr;
  }
}

RowKernel number_row(std::string_view op, DType type) {
  switch (type) {
    case DType::kFloat32: return find(op, kOrdered<float>, kFloats<float>);
    case DType::kFloat64: return find(op, kOrdered<double>, kFloats<double>, kDoubles);
    case DType::kInt8: return find(op, kOrdered<int8_t>, kRing<uint8_t>, kSigned<int8_t>);
    case DType::kInt16: return find(op, kRing<uint16_t>);
    case DType::kInt32: return find(op, kOrdered<int32_t>, kRing<uint32_t>, kSigned<int32_t>);
    case DType::kInt64: return find(op, kOrdered<int64_t>, kRing<uint64_t>, kSigned<int64_t>);
    case DType::kUint8: return find(op, kOrdered<uint8_t>, kRing<uint8_t>);
    case DType::kUint16: return find(op, kRing<uint16_t>);
    case DType::kUint32: return find(op, kRing<uint32_t>);
    case DType::kUint64: return find(op, kRing<uint64_t>);
    default: return nullptr;
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
