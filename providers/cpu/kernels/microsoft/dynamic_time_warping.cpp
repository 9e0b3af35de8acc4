// com.microsoft.DynamicTimeWarping.
#include <limits>
#include <vector>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/cpu.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class DynamicTimeWarping {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit DynamicTimeWarping(const Node& node) {
    const auto dims = provider::dims(node.input(0));
    rows_ = dims[dims.size() - 2];
    columns_ = dims[dims.size() - 1];
  }

  // Two rows of costs, and the step that leads to each place.
  size_t scratch_bytes() const {
    return static_cast<size_t>(
        base::checked_add(base::checked_mul(rows_, columns_), base::checked_mul(columns_ + 1, 2 * sizeof(float))));
  }

  void run(RunContext& context) const {
    float* costs = static_cast<float*>(context.scratch());
    auto* steps = reinterpret_cast<uint8_t*>(costs + 2 * (columns_ + 1));
    walk(context, costs, steps);
    base::take_kernel_memory((rows_ + columns_) * static_cast<int64_t>(4 * sizeof(int32_t)));
    std::vector<int32_t> path;  // pairs, from the end
    for (int64_t i = rows_ - 1, j = columns_ - 1;;) {
      path.push_back(static_cast<int32_t>(i));
      path.push_back(static_cast<int32_t>(j));
      if (i == 0 && j == 0) break;
      const auto step = i == 0 ? kLeft : j == 0 ? kUp : static_cast<Step>(steps[i * columns_ + j]);
      i -= step != kLeft;
      j -= step != kUp;
    }
    const auto length = static_cast<int64_t>(path.size() / 2);
    const int64_t dims[] = {2, length};
    int32_t* out = static_cast<int32_t*>(open_output(context, 0, dims).data);
    for (int64_t k = 0; k < length; ++k) {
      out[k] = path[static_cast<size_t>(2 * (length - 1 - k))];
      out[length + k] = path[static_cast<size_t>(2 * (length - 1 - k) + 1)];
    }
  }

 private:
  enum Step : uint8_t { kDiagonal, kUp, kLeft };

  // A step is diagonal or up only where it is cheaper than both others.
  void walk(const RunContext& context, float* costs, uint8_t* steps) const {
    constexpr float kNever = std::numeric_limits<float>::infinity();
    float *above = costs, *here = costs + columns_ + 1;
    std::fill_n(above, columns_ + 1, kNever);
    above[0] = 0;
    Pacer pacer(context);
    for (int64_t i = 0; i < rows_; ++i) {
      pacer.did(columns_ + 1);
      here[0] = kNever;
      for (int64_t j = 0; j < columns_; ++j) {
        const float diagonal = above[j], up = above[j + 1], left = here[j];
        Step step = kLeft;
        float cost = left;
        if (diagonal < up && diagonal < left) {
          step = kDiagonal;
          cost = diagonal;
        } else if (up < diagonal && up < left) {
          step = kUp;
          cost = up;
        }
        steps[i * columns_ + j] = step;
        here[j + 1] = context.in<float>(0)[i * columns_ + j] + cost;
      }
      std::swap(above, here);
    }
  }

  int64_t rows_, columns_;
};

}  // namespace

void kernels_microsoft_dynamic_time_warping(provider::KernelTable& table) {
  table.add<DynamicTimeWarping>("com.microsoft", "DynamicTimeWarping", "direct");
}

}  // namespace onnxrun::cpu
