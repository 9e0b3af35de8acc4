// Not, And, Or and Xor on booleans, which are bytes of 0 or 1.
#include "cpu/loops/fast.h"
#include "cpu/loops/number_functions.h"

namespace onnxrun::cpu {
namespace {

struct Logic {
  static RowKernel other_row(std::string_view op, DType work) { return simd::truth_row(op, work); }
  static constexpr size_t kInputs = 2;
  static RowChoice choose(const Node& node) {
    if (node.op() == "And") return {binary_kernel<numbers::And, uint8_t>};
    if (node.op() == "Or") return {binary_kernel<numbers::Or, uint8_t>};
    return {binary_kernel<numbers::Xor, uint8_t>};
  }
};

struct Negation {
  static RowKernel other_row(std::string_view op, DType work) { return simd::truth_row(op, work); }
  static constexpr size_t kInputs = 1;
  static RowChoice choose(const Node&) { return {unary_kernel<numbers::Not, uint8_t>}; }
};

}  // namespace

void kernels_onnx_logic(provider::KernelTable& table) {
  for (const char* op : {"And", "Or", "Xor"}) {
    table.add<ElementwiseKernel<Fast<Logic>>>("", op, "simd");
    table.add<ElementwiseKernel<Logic>>("", op, "reference");
  }
  table.add<ElementwiseKernel<Fast<Negation>>>("", "Not", "simd");
  table.add<ElementwiseKernel<Negation>>("", "Not", "reference");
}

}  // namespace onnxrun::cpu
