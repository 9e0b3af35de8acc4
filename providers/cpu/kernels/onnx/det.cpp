// Det: determinants by elimination with row pivots.
#include <algorithm>
#include <cmath>

#include "cpu/loops/polled.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

// Of the n x n matrix `a`, which is destroyed.
double determinant(double* a, int64_t n, Pacer& pacer) {
  double result = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      result = -result;
    }
    result *= a[k * n + k];
    for (int64_t i = k + 1; i < n; ++i) {
      pacer.did(n - k);
      const double factor = a[i * n + k] / a[k * n + k];
      for (int64_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return result;
}

class Det {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Det(const Node& node)
      : size_(provider::dims(node.input(0)).back()),
        matrices_(provider::count(node.output(0))),
        operands_(node, 1, 1, DType::kFloat64) {}
  size_t scratch_bytes() const {
    return operands_.scratch_bytes() + static_cast<size_t>(size_ * size_) * sizeof(double);
  }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    double* work = reinterpret_cast<double*>(static_cast<char*>(context.scratch()) + operands_.scratch_bytes());
    Pacer pacer(context);
    for (int64_t i = 0; i < matrices_; ++i) {
      pacer.did(size_ * size_ + 1);
      std::copy_n(arrays.in<double>(0) + i * size_ * size_, size_ * size_, work);
      arrays.out<double>(0)[i] = determinant(work, size_, pacer);
    }
    operands_.store(context, arrays);
  }

 private:
  int64_t size_, matrices_;
  WorkOperands operands_;
};

}  // namespace

void kernels_onnx_det(provider::KernelTable& table) { table.add<Det>("", "Det", "reference"); }

}  // namespace onnxrun::cpu
