// Shape and Size: written from the input's dims; its data is not read.
#include "ops/attributes/shape.h"

#include <algorithm>

#include "cpu/cpu.h"

namespace onnxrun::cpu {
namespace {

class ShapeKernel {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit ShapeKernel(const Node& node) {
    const auto dims = provider::dims(node.input(0));
    const auto [start, end] = ops::attributes::shape_range(node, static_cast<int64_t>(dims.size()));
    dims_.assign(dims.begin() + start, dims.begin() + end);
  }

  void run(RunContext& context) const { std::copy(dims_.begin(), dims_.end(), context.out<int64_t>(0)); }

 private:
  std::vector<int64_t> dims_;
};

class SizeKernel {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit SizeKernel(const Node& node) : count_(provider::count(node.input(0))) {}
  void run(RunContext& context) const { *context.out<int64_t>(0) = count_; }

 private:
  int64_t count_;
};

}  // namespace

void kernels_onnx_shape(provider::KernelTable& table) {
  table.add<ShapeKernel>("", "Shape", "reference");
  table.add<SizeKernel>("", "Size", "reference");
}

}  // namespace onnxrun::cpu
