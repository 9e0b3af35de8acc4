// The index of the largest or smallest element along an axis.
#include "cpu/loops/arg_extreme.h"

#include <algorithm>

#include "cpu/loops/choice_rows.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

template <class T>
auto columns(Extreme extreme, bool last) {
  const ExtremeRows<T>& rows = extreme_rows<T>();
  return (extreme == Extreme::kLargest ? rows.largest_columns : rows.smallest_columns)[last ? 1 : 0];
}

template <class T, Extreme extreme, bool last>
int64_t row_of(const void* x, int64_t n) {
  const ExtremeRows<T>& rows = extreme_rows<T>();
  return (extreme == Extreme::kLargest ? rows.largest : rows.smallest)(static_cast<const T*>(x), n, last);
}

template <class T>
auto row(Extreme extreme, bool last) {
  if (extreme == Extreme::kLargest)
    return last ? row_of<T, Extreme::kLargest, true> : row_of<T, Extreme::kLargest, false>;
  return last ? row_of<T, Extreme::kSmallest, true> : row_of<T, Extreme::kSmallest, false>;
}

}  // namespace

ArgExtreme::ArgExtreme(Extreme extreme, DType type, AxisView view, bool last)
    : view_(view), element_bytes_(base::dtype_bits(type) / 8) {
  const DType work = type == DType::kFloat64 || type == DType::kUint64 ? type
                     : base::is_float(type)                            ? DType::kFloat32
                                                                       : DType::kInt64;
  if (work != type) {
    load_ = converter(type, work);
    if (load_ == nullptr) throw provider::Declined{fmt::format("no comparison of {}", base::dtype_name(type))};
  }
  dispatch(Types<float, double, int64_t, uint64_t>{}, work, [&]<class T>(std::type_identity<T>) {
    rows_ = columns<T>(extreme, last);
    if (load_ == nullptr && view_.inner == 1) row_ = row<T>(extreme, last);
  });
}

void ArgExtreme::run(RunContext& context, const void* in, int64_t* out) const {
  if (row_ != nullptr)
    return parallel_polled(context, view_.outer, Cost(view_.size) * element_bytes_, [&](int64_t begin, int64_t end) {
      const int64_t bytes = view_.size * element_bytes_;
      for (int64_t i = begin; i < end; ++i) out[i] = row_(static_cast<const char*>(in) + i * bytes, view_.size);
    });
  const int64_t tiles = (view_.inner + kColumns - 1) / kColumns;
  parallel_polled(context, view_.outer * tiles, Cost(view_.size) * std::min(kColumns, view_.inner) * element_bytes_,
                  [&](int64_t begin, int64_t end) {
                    alignas(64) char buffer[kColumns * 8];
                    alignas(64) char best[kColumns * 8];
                    for (int64_t item = begin; item < end; ++item) {
                      const int64_t outer = item / tiles, column = item % tiles * kColumns;
                      const int64_t count = std::min(kColumns, view_.inner - column);
                      const char* x =
                          static_cast<const char*>(in) + (outer * view_.size * view_.inner + column) * element_bytes_;
                      int64_t* index = out + outer * view_.inner + column;
                      for (int64_t row = 0; row < view_.size; ++row, x += view_.inner * element_bytes_) {
                        if (load_ != nullptr) load_(x, buffer, count);
                        rows_(load_ != nullptr ? buffer : x, row, count, best, index);
                      }
                    }
                  });
}

}  // namespace onnxrun::cpu
