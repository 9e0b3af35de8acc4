// BiasGelu and FastGelu in float32 with a bias of the last axis, in one pass over each row.
#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/row.h"
#include "ops/attributes/activation.h"

namespace onnxrun::cpu {
namespace {

class BiasGelu {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
    if (!node.has_input(1) || node.input(1).rank != 1) return Acceptance::decline("adds a vector only");
    if (kernel_of(node) == nullptr) return Acceptance::decline("no fast Gelu at this instruction set level");
    return Acceptance().alias(0, 0);
  }

  explicit BiasGelu(const Node& node) : kernel_(kernel_of(node)), columns_(provider::count(node.input(1))) {
    const auto dims = provider::dims(node.input(0));
    if (dims.empty() || dims.back() != columns_) throw provider::Declined{"the bias is broadcast"};
    rows_ = columns_ == 0 ? 0 : provider::count(node.input(0)) / columns_;
  }
  void run(RunContext& context) const {
    const float *x = context.in<float>(0), *bias = context.in<float>(1);
    float* y = context.out<float>(0);
    const ops::ActivationAttributes parameters{};
    context.parallel(rows_, 2048 / std::clamp<int64_t>(columns_, 1, 2048), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        if ((row & 15) == 0 && context.cancelled()) return;
        float* to = y + row * columns_;
        add_({{x + row * columns_, bias}, {1, 1}, to, columns_, nullptr});
        kernel_({{to}, {1}, to, columns_, &parameters});
      }
    });
    context.check_cancelled();
  }

 private:
  static RowKernel kernel_of(const Node& node) {
    return simd::float_row(node.op() == "FastGelu" ? "GeluTanh" : "Gelu");
  }

  RowKernel add_ = simd::float_row("Add"), kernel_;
  int64_t columns_, rows_ = 0;
};

}  // namespace

void kernels_microsoft_gelu(provider::KernelTable& table) {
  table.add<BiasGelu>("com.microsoft", "BiasGelu", "rows");
  table.add<BiasGelu>("com.microsoft", "FastGelu", "rows");
}

}  // namespace onnxrun::cpu
