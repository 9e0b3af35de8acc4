// A walk over the rows of an index space, giving the offset of each row in a strided array.
#pragma once

#include <cstdint>
#include <vector>

#include "base/shape.h"

namespace onnxrun::cpu {

// The index space is `dims`, its rows are along the last axis, and none where they have no elements; the array's strides are in elements (0 where it does not move).
class RowSpace {
 public:
  RowSpace() = default;
  RowSpace(base::DimsView dims, base::DimsView strides) : length_(dims.empty() ? 1 : dims.back()) {
    for (size_t i = 0; i + 1 < dims.size(); ++i) {
      dims_.push_back(dims[i]);
      strides_.push_back(strides[i]);
      rows_ *= dims[i];
    }
    if (length_ == 0) rows_ = 0;
  }

  int64_t rows() const { return rows_; }
  int64_t length() const { return length_; }

  // Calls f(row, offset) for the rows [begin, end).
  template <class F>
  void each(int64_t begin, int64_t end, F&& f) const {
    int64_t index[kMaxRank];
    int64_t offset = 0;
    int64_t rest = begin;
    for (size_t i = dims_.size(); i-- > 0;) {
      index[i] = rest % dims_[i];
      rest /= dims_[i];
      offset += index[i] * strides_[i];
    }
    for (int64_t row = begin; row < end; ++row) {
      f(row, offset);
      for (size_t i = dims_.size(); i-- > 0;) {
        offset += strides_[i];
        if (++index[i] < dims_[i]) break;
        offset -= strides_[i] * dims_[i];
        index[i] = 0;
      }
    }
  }

 private:
  static constexpr size_t kMaxRank = 64;
  base::Dims dims_, strides_;
  int64_t rows_ = 1, length_ = 1;
};

}  // namespace onnxrun::cpu
