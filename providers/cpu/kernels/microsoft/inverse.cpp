// com.microsoft.Inverse: elimination with row exchanges, in double. A singular matrix gives infinities and NaN.
#include <cmath>

#include "base/checked.h"
#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

class Inverse {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Inverse(const Node& node)
      : size_(provider::dims(node.input(0)).back()),
        count_(size_ == 0 ? 0 : provider::count(node.input(0)) / size_ / size_),
        load_(scalar_load(dtype(node.input(0)))),
        save_(scalar_save(dtype(node.input(0)))) {}

  // The matrix beside the identity, for each matrix.
  size_t scratch_bytes() const {
    return static_cast<size_t>(
        base::checked_mul(count_, base::checked_mul(base::checked_mul(size_, size_), 2 * sizeof(double))));
  }

  void run(RunContext& context) const {
    const int64_t n = size_;
    double* scratch = static_cast<double*>(context.scratch());
    parallel_polled(context, count_, Cost(n) * n * n * 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        double* work = scratch + item * 2 * n * n;
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j) {
            work[i * 2 * n + j] = load_(context.input(0).data, item * n * n + i * n + j);
            work[i * 2 * n + n + j] = i == j ? 1.0 : 0.0;
          }
        if (!eliminate(context, work)) return;
        for (int64_t i = 0; i < n; ++i)
          for (int64_t j = 0; j < n; ++j)
            save_(context.output(0).data, item * n * n + i * n + j, work[i * 2 * n + n + j]);
      }
    });
    context.check_cancelled();
  }

 private:
  // Turns the left half into the identity; false when cancelled.
  bool eliminate(const RunContext& context, double* work) const {
    const int64_t n = size_, width = 2 * n;
    for (int64_t k = 0; k < n; ++k) {
      if (context.cancelled()) return false;
      int64_t pivot = k;
      for (int64_t i = k + 1; i < n; ++i)
        if (std::abs(work[i * width + k]) > std::abs(work[pivot * width + k])) pivot = i;
      if (pivot != k)
        for (int64_t j = 0; j < width; ++j) std::swap(work[k * width + j], work[pivot * width + j]);
      const double divisor = work[k * width + k];
      for (int64_t j = 0; j < width; ++j) work[k * width + j] /= divisor;
      for (int64_t i = 0; i < n; ++i) {
        const double factor = work[i * width + k];
        if (i == k || factor == 0) continue;
        for (int64_t j = 0; j < width; ++j) work[i * width + j] -= factor * work[k * width + j];
      }
    }
    return true;
  }

  int64_t size_, count_;
  Load load_;
  Save save_;
};

}  // namespace

void kernels_microsoft_inverse(provider::KernelTable& table) {
  table.add<Inverse>("com.microsoft", "Inverse", "elimination");
}

}  // namespace onnxrun::cpu
