// Sums of products of one or two arrays with labelled axes: as matrix products on panels where they are large, else as strided sums.
#pragma once

#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/product.h"
#include "cpu/loops/strided_sum.h"

namespace onnxrun::cpu {

// An axis that a letter names; stride in elements.
struct LabelAxis {
  int label = 0;
  int64_t size = 1, stride = 0;
};
using LabelAxes = std::vector<LabelAxis>;

// The axis of a label, or null.
const LabelAxis* find_axis(const LabelAxes& axes, int label);

class Contraction {
 public:
  // The result has the labels `kept` in this order; every label is kept or summed. Labels are distinct within an array, no size is 0. Without
  // b it is a sum, a diagonal or a transpose of a. `work` is the type that run() gets: float32, float64 or uint64.
  Contraction(const LabelAxes& a, const LabelAxes* b, const std::vector<int>& kept, DType work);

  const LabelAxes& result() const { return result_; }  // contiguous
  int64_t count() const { return count_; }             // elements of the result
  size_t scratch_bytes() const { return scratch_bytes_; }

  template <class T>
  void run(RunContext& context, const T* a, const T* b, T* y, char* scratch) const;

 private:
  struct Form;
  enum class Kind : uint8_t { kCopy, kSum, kProduct };

  void plan_product(const LabelAxes& a, const LabelAxes& b);
  size_t reserve(int64_t elements);
  template <class T>
  void multiply(RunContext& context, const T* a, const T* b, T* y, char* scratch) const;

  Kind kind_ = Kind::kSum;
  int64_t element_bytes_ = 4, count_ = 1;
  LabelAxes result_;
  StridedCopy copy_;  // kCopy
  StridedSum sum_;
  // kProduct: y = left * right, batches of [m, k] x [k, n]; what does not lie so is copied before or after.
  ProductGeometry geometry_;
  bool swapped_ = false, copies_left_ = false, copies_right_ = false, copies_result_ = false;
  int64_t right_row_ = 0, right_column_ = 0;
  StridedCopy copy_left_, copy_right_, copy_result_;
  size_t left_at_ = 0, right_at_ = 0, result_at_ = 0, panels_at_ = 0, scratch_bytes_ = 0;
};

}  // namespace onnxrun::cpu
