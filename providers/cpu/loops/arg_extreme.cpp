// The index of the largest or smallest element along an axis.
#include "cpu/loops/arg_extreme.h"

#include <algorithm>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

// Column j of row number `row` competes with best[j]; row 0 starts the competition.
template <class T, Extreme extreme, bool last>
void feed(const void* from, int64_t row, int64_t columns, void* best, int64_t* index) {
  const T* x = static_cast<const T*>(from);
  T* leader = static_cast<T*>(best);
  if (row == 0) {
    std::copy_n(x, columns, leader);
    std::fill_n(index, columns, 0);
    return;
  }
  for (int64_t j = 0; j < columns; ++j) {
    const T a = leader[j], b = x[j];
    bool wins = extreme == Extreme::kLargest ? (last ? b >= a : b > a) : (last ? b <= a : b < a);
    if (a != a) wins = last && b != b;
    else if (b != b) wins = true;
    if (wins) {
      leader[j] = b;
      index[j] = row;
    }
  }
}

template <class T>
auto choose(Extreme extreme, bool last) {
  if (extreme == Extreme::kLargest) return last ? feed<T, Extreme::kLargest, true> : feed<T, Extreme::kLargest, false>;
  return last ? feed<T, Extreme::kSmallest, true> : feed<T, Extreme::kSmallest, false>;
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
  switch (work) {
    case DType::kFloat32: rows_ = choose<float>(extreme, last); break;
    case DType::kFloat64: rows_ = choose<double>(extreme, last); break;
    case DType::kUint64: rows_ = choose<uint64_t>(extreme, last); break;
    default: rows_ = choose<int64_t>(extreme, last); break;
  }
}

void ArgExtreme::run(RunContext& context, const void* in, int64_t* out) const {
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
