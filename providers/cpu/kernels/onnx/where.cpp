// Where: elements of any type, moved by their size.
#include <algorithm>

#include "cpu/loops/choice_rows.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {
namespace {

template <class T, bool kStepX, bool kStepY>
void choose_each(const uint8_t* condition, const T* x, const T* y, T* out, int64_t count) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const T& from_x = x[kStepX ? i : 0];
    const T& from_y = y[kStepY ? i : 0];
    out[i] = condition[i] != 0 ? from_x : from_y;
  }
}

template <class T>
void where_row(const Row& row) {
  const auto* condition = static_cast<const uint8_t*>(row.in[0]);
  const auto* x = static_cast<const T*>(row.in[1]);
  const auto* y = static_cast<const T*>(row.in[2]);
  auto* out = static_cast<T*>(row.out);
  if (row.stride[0] == 0) {
    const bool first = *condition != 0;
    const T* from = first ? x : y;
    if (row.stride[first ? 1 : 2] == 0) std::fill_n(out, row.count, T(*from));
    else if (from != out) std::copy_n(from, row.count, out);
    return;
  }
  if (row.stride[1] != 0 && row.stride[2] != 0) choose_each<T, true, true>(condition, x, y, out, row.count);
  else if (row.stride[1] != 0) choose_each<T, true, false>(condition, x, y, out, row.count);
  else if (row.stride[2] != 0) choose_each<T, false, true>(condition, x, y, out, row.count);
  else choose_each<T, false, false>(condition, x, y, out, row.count);
}

struct Where {
  static constexpr size_t kInputs = 3;
  static RowChoice choose(const Node& node) {
    RowChoice result;
    const DType type = dtype(node.output(0));
    if (base::is_sub_byte(type)) return result;
    with_storage(unit_of(static_cast<int32_t>(type)),
                 [&](auto element) { result.kernel = where_row<decltype(element)>; });
    return result;
  }
};

struct WhereRows {
  static constexpr size_t kInputs = 3;
  static RowChoice choose(const Node& node) {
    RowChoice result;
    const DType type = dtype(node.output(0));
    if (base::is_sub_byte(type)) return result;
    const Unit unit = unit_of(static_cast<int32_t>(type));
    if (!unit.string) result.kernel = choice_row(unit.bytes);
    return result;
  }
};

}  // namespace

void kernels_onnx_where(provider::KernelTable& table) {
  table.add<ElementwiseKernel<WhereRows>>("", "Where", "rows");
  table.add<ElementwiseKernel<Where>>("", "Where", "reference");
}

}  // namespace onnxrun::cpu
