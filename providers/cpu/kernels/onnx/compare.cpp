// Equal, Greater, Less, GreaterOrEqual and LessOrEqual. Comparisons with NaN are false.
#include <string>
#include <utility>

#include "cpu/loops/fast.h"
#include "cpu/loops/number_functions.h"

namespace onnxrun::cpu {
namespace {

template <class F, class T>
void compare_row(const Row& row) {
  binary_row<T, T, uint8_t>(row, [](const T& a, const T& b) { return static_cast<uint8_t>(F::of(a, b)); });
}

// a < b is b > a.
template <RowKernel kKernel>
void swapped(const Row& row) {
  Row other = row;
  std::swap(other.in[0], other.in[1]);
  std::swap(other.stride[0], other.stride[1]);
  kKernel(other);
}

template <class F, bool kSwap>
RowKernel ordering(DType type) {
  RowKernel result = nullptr;
  dispatch(WideNumbers{}, type, [&](auto t) {
    using T = typename decltype(t)::type;
    result = kSwap ? swapped<compare_row<F, T>> : compare_row<F, T>;
  });
  return result;
}

RowKernel equality(DType type) {
  switch (type) {
    case DType::kFloat32: return compare_row<numbers::Equal, float>;
    case DType::kFloat64: return compare_row<numbers::Equal, double>;
    case DType::kString: return compare_row<numbers::Equal, std::string>;
    case DType::kBool: return compare_row<numbers::Equal, bool>;
    default: break;
  }
  switch (base::dtype_bits(type)) {
    case 8: return compare_row<numbers::Equal, uint8_t>;
    case 16: return compare_row<numbers::Equal, uint16_t>;
    case 32: return compare_row<numbers::Equal, uint32_t>;
    case 64: return compare_row<numbers::Equal, uint64_t>;
    default: return nullptr;
  }
}

struct Compare {
  static RowKernel other_row(std::string_view op, DType work) { return simd::truth_row(op, work); }
  static constexpr size_t kInputs = 2;

  static RowChoice choose(const Node& node) {
    const DType work = work_type(dtype(node.input(0)));
    RowKernel row = nullptr;
    if (node.op() == "Equal") row = equality(work);
    if (node.op() == "Greater") row = ordering<numbers::Greater, false>(work);
    if (node.op() == "Less") row = ordering<numbers::Greater, true>(work);
    if (node.op() == "GreaterOrEqual") row = ordering<numbers::GreaterOrEqual, false>(work);
    if (node.op() == "LessOrEqual") row = ordering<numbers::GreaterOrEqual, true>(work);
    return {row, {work, work, DType::kNone}, DType::kNone};
  }
};

}  // namespace

void kernels_onnx_compare(provider::KernelTable& table) {
  for (const char* op : {"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"}) {
    table.add<ElementwiseKernel<Fast<Compare>>>("", op, "simd");
    table.add<ElementwiseKernel<Compare>>("", op, "reference");
  }
}

}  // namespace onnxrun::cpu
