// Not, And, Or and Xor on booleans, which are bytes of 0 or 1.
#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {
namespace {

struct And {
  static uint8_t of(uint8_t a, uint8_t b) { return (a != 0) & (b != 0); }
};
struct Or {
  static uint8_t of(uint8_t a, uint8_t b) { return (a | b) != 0; }
};
struct Xor {
  static uint8_t of(uint8_t a, uint8_t b) { return (a != 0) != (b != 0); }
};
struct Not {
  static uint8_t of(uint8_t a) { return a == 0; }
};

struct Logic {
  static constexpr size_t kInputs = 2;
  static RowChoice choose(const Node& node) {
    if (node.op() == "And") return {binary_kernel<And, uint8_t>};
    if (node.op() == "Or") return {binary_kernel<Or, uint8_t>};
    return {binary_kernel<Xor, uint8_t>};
  }
};

struct Negation {
  static constexpr size_t kInputs = 1;
  static RowChoice choose(const Node&) { return {unary_kernel<Not, uint8_t>}; }
};

}  // namespace

void kernels_onnx_logic(provider::KernelTable& table) {
  for (const char* op : {"And", "Or", "Xor"}) table.add<ElementwiseKernel<Logic>>("", op, "reference");
  table.add<ElementwiseKernel<Negation>>("", "Not", "reference");
}

}  // namespace onnxrun::cpu
