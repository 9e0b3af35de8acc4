// NonZero: counts the elements that are not zero, then writes their indices, one row an axis.
#include "cpu/cpu.h"

#include <algorithm>
#include "cpu/loops/copy.h"
#include "cpu/loops/open_output.h"

namespace onnxrun::cpu {
namespace {

// The bits of an element that are not its sign: -0 is zero.
Bytes16 value_bits(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
    case DType::kBfloat16: return {0x7fff, 0};
    case DType::kFloat32: return {0x7fffffff, 0};
    case DType::kFloat64: return {~uint64_t{0} >> 1, 0};
    case DType::kComplex64: return {0x7fffffff7fffffff, 0};
    case DType::kComplex128: return {~uint64_t{0} >> 1, ~uint64_t{0} >> 1};
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E5M2: return {0x7f, 0};
    default: return {~uint64_t{0}, ~uint64_t{0}};
  }
}

class NonZero {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit NonZero(const Node& node)
      : dtype_(dtype(node.input(0))),
        dims_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()),
        count_(provider::count(node.input(0))) {}

  void run(RunContext& context) const {
    const Unit unit = unit_of(static_cast<int32_t>(dtype_));
    const Bytes16 mask = value_bits(dtype_);
    with_storage(unit, [&]<class T>(T) {
      const T* data = context.in<T>(0);
      if constexpr (std::is_same_v<T, base::Text>) {
        write(context, [&](int64_t i) { return !data[i].empty(); });
      } else if constexpr (std::is_same_v<T, Bytes16>) {
        write(context, [&](int64_t i) { return ((data[i].low & mask.low) | (data[i].high & mask.high)) != 0; });
      } else {
        const T bits = static_cast<T>(mask.low);
        write(context, [&](int64_t i) { return (data[i] & bits) != 0; });
      }
    });
  }

 private:
  template <class Test>
  void write(RunContext& context, Test&& test) const {
    constexpr int64_t kStretch = 1 << 20;
    int64_t found = 0;
    for (int64_t i = 0; i < count_;) {
      const int64_t stop = std::min(count_, i + kStretch);
      for (; i < stop; ++i) found += test(i) ? 1 : 0;
      context.check_cancelled();
    }
    const int64_t shape[] = {static_cast<int64_t>(dims_.size()), found};
    auto* out = static_cast<int64_t*>(open_output(context, 0, shape).data);
    if (found == 0 || dims_.empty()) return;
    int64_t index[64] = {};
    int64_t column = 0;
    for (int64_t i = 0; i < count_; ++i) {
      if (test(i)) {
        for (size_t axis = 0; axis < dims_.size(); ++axis)
          out[static_cast<int64_t>(axis) * found + column] = index[axis];
        ++column;
      }
      for (size_t axis = dims_.size(); axis-- > 0;) {
        if (++index[axis] < dims_[axis]) break;
        index[axis] = 0;
      }
      if (i % kStretch == kStretch - 1) context.check_cancelled();
    }
  }

  DType dtype_;
  base::Dims dims_;
  int64_t count_;
};

}  // namespace

void kernels_onnx_non_zero(provider::KernelTable& table) { table.add<NonZero>("", "NonZero", "reference"); }

}  // namespace onnxrun::cpu
