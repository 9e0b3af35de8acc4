// SkipLayerNormalization and SkipSimplifiedLayerNormalization in float32: each row is added and normalised while it is at hand.
#include <cmath>
#include <cstring>

#include "cpu/cpu.h"
#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

class SkipRows {
 public:
  static Acceptance accepts(const Node& node) {
    for (size_t i = 0; i < node.input_count(); ++i)
      if (node.has_input(i) && dtype(node.input(i)) != DType::kFloat32) return Acceptance::decline("not all float32");
    if (node.has_output(1) || node.has_output(2)) return Acceptance::decline("hands out no statistics");
    if (adds() == nullptr) return Acceptance::decline("no fast Add at this instruction set level");
    return Acceptance().alias(0, node.has_output(3) ? 3 : 0);
  }

  explicit SkipRows(const Node& node)
      : centred_(node.op() == "SkipLayerNormalization"), epsilon_(node.get_float("epsilon", 1e-12f)) {
    const auto dims = provider::dims(node.input(0));
    const auto skip = provider::dims(node.input(1));
    if (dims.empty() || !std::equal(dims.begin(), dims.end(), skip.begin(), skip.end()))
      throw provider::Declined{"'skip' is broadcast"};
    size_ = dims.back();
    count_ = size_ == 0 ? 0 : provider::count(node.input(0)) / size_;
    for (size_t i = 2; i < node.input_count(); ++i)
      if (node.has_input(i) && provider::count(node.input(i)) != size_)
        throw provider::Declined{"a parameter is not the shape of a row"};
  }

  void run(RunContext& context) const {
    const float *x = context.in<float>(0), *skip = context.in<float>(1), *scale = context.in<float>(2);
    const float* shift = centred_ && context.has_input(3) ? context.in<float>(3) : nullptr;
    const size_t at = centred_ ? 4 : 3;
    const float* bias = context.has_input(at) ? context.in<float>(at) : nullptr;
    float* y = context.out<float>(0);
    float* sums = context.has_output(3) ? context.out<float>(3) : nullptr;
    const RowKernel add = adds();
    const int64_t n = size_;
    parallel_polled(context, count_, Cost(n) * 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* out = y + row * n;
        float* sum = sums != nullptr ? sums + row * n : out;
        add({{x + row * n, skip + row * n}, {1, 1}, sum, n, nullptr});
        if (bias != nullptr) add({{sum, bias}, {1, 1}, sum, n, nullptr});
        const float mean = centred_ ? static_cast<float>(row_sum(sum, n) / static_cast<double>(n)) : 0.0f;
        const double variance = row_sum_squares(sum, mean, n) / static_cast<double>(n);
        const float factor = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(epsilon_)));
        row_normalize(sum, mean, factor, scale, shift, out, n);
      }
    });
  }

 private:
  static RowKernel adds() { return simd::float_row("Add"); }

  bool centred_;
  float epsilon_;
  int64_t size_ = 0, count_ = 0;
};

}  // namespace

void kernels_microsoft_skip_layer_normalization(provider::KernelTable& table) {
  table.add<SkipRows>("com.microsoft", "SkipLayerNormalization", "rows");
  table.add<SkipRows>("com.microsoft", "SkipSimplifiedLayerNormalization", "rows");
}

}  // namespace onnxrun::cpu
