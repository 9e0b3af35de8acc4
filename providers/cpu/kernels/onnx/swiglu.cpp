// SwiGLU: A * sigmoid(alpha * A) * B.
#include <cmath>

#include "cpu/loops/fast.h"
#include "ops/attributes/activation.h"

namespace onnxrun::cpu {
namespace {

template <class T>
void swiglu_row(const Row& row) {
  const T alpha = T(static_cast<const ops::ActivationAttributes*>(row.parameters)->alpha);
  binary_row<T, T, T>(row, [&](T a, T b) {
    const T e = std::exp(-std::fabs(alpha * a));
    return a * ((alpha * a < T(0) ? e : T(1)) / (T(1) + e)) * b;
  });
}

struct SwiGlu {
  static constexpr size_t kInputs = 2;
  using Parameters = ops::ActivationAttributes;

  static RowChoice choose(const Node& node) {
    const DType work = work_type(dtype(node.input(0)));
    if (work == DType::kFloat32) return all_in(work, swiglu_row<float>);
    if (work == DType::kFloat64) return all_in(work, swiglu_row<double>);
    return {};
  }
  static Parameters parameters(const Node& node) { return ops::read_activation(node.op(), node); }
  static int cost(const Node&) { return 16; }
};

}  // namespace

void kernels_onnx_swiglu(provider::KernelTable& table) {
  table.add<ElementwiseKernel<Fast<SwiGlu>>>("", "SwiGLU", "simd");
  table.add<ElementwiseKernel<SwiGlu>>("", "SwiGLU", "reference");
}

}  // namespace onnxrun::cpu
