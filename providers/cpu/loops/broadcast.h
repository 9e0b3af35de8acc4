// The iteration of elementwise operators: several inputs broadcast to one output, as rows in which each input steps by
// 0 or 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "base/shape.h"

namespace onnxrun::cpu {

// How the elements of contiguous inputs map to those of a contiguous output they broadcast to (multidirectional
// broadcasting). Dims that all operands walk alike are merged, so equal shapes give one row, and a bias gives one row a
// repetition.
class BroadcastPlan {
 public:
  static constexpr size_t kMaxInputs = 4;

  BroadcastPlan() = default;
  // Throws kInternal for more than kMaxInputs inputs, kInvalidArgument where an input does not broadcast to `output`.
  BroadcastPlan(std::span<const base::DimsView> inputs, base::DimsView output);
  BroadcastPlan(std::initializer_list<base::DimsView> inputs, base::DimsView output)
      : BroadcastPlan(std::span<const base::DimsView>(inputs.begin(), inputs.size()), output) {}

  int64_t count() const { return count_; }            // elements of the output
  int64_t row_length() const { return row_length_; }  // elements of the innermost merged dim
  // Step of an input within a row: 0 (one element for the whole row) or 1.
  int64_t row_stride(size_t input) const { return row_strides_[input]; }
  size_t inputs() const { return inputs_; }

  // Makes longer rows of short ones (at most `longest`) that some inputs see again and again: those then start anew every
  // period() elements of a row. Does nothing where no input does, or another one does something else.
  void merge_repeats(int64_t longest);
  // 0: no input repeats.
  int64_t period() const { return period_; }
  bool repeats(size_t input) const { return repeats_[input]; }

  // Calls f(const int64_t* input_offsets, int64_t output_offset, int64_t n) for the pieces of rows that cover the
  // output's elements [begin, end), in order. Offsets are in elements. Ranges may be walked by several threads at once.
  template <class F>
  void each_row(int64_t begin, int64_t end, F&& f) const {
    if (begin >= end) return;
    int64_t index[kMaxOuter];
    int64_t offsets[kMaxInputs];
    int64_t within = start(begin, index, offsets);
    for (int64_t at = begin; at < end;) {
      const int64_t n = std::min(row_length_ - within, end - at);
      int64_t here[kMaxInputs];
      for (size_t k = 0; k < inputs_; ++k) here[k] = offsets[k] + (repeats_[k] ? 0 : within * row_strides_[k]);
      f(static_cast<const int64_t*>(here), at, n);
      at += n;
      within = 0;
      advance(index, offsets);
    }
  }

 private:
  static constexpr size_t kMaxOuter = 64;

  int64_t start(int64_t begin, int64_t* index, int64_t* offsets) const;

  void advance(int64_t* index, int64_t* offsets) const {
    for (size_t d = outer_.size(); d-- > 0;) {
      const Outer& outer = outer_[d];
      for (size_t k = 0; k < inputs_; ++k) offsets[k] += outer.strides[k];
      if (++index[d] < outer.size) return;
      index[d] = 0;
      for (size_t k = 0; k < inputs_; ++k) offsets[k] -= outer.strides[k] * outer.size;
    }
  }

  struct Outer {
    int64_t size;
    int64_t strides[kMaxInputs];
  };

  size_t inputs_ = 0;
  int64_t count_ = 0;
  int64_t row_length_ = 1;
  int64_t row_strides_[kMaxInputs] = {};
  int64_t period_ = 0;
  bool repeats_[kMaxInputs] = {};
  std::vector<Outer> outer_;  // outermost first
};

}  // namespace onnxrun::cpu
