// Operators that only rename the elements' places: the planner makes views of them; where it cannot, a copy.
#include "cuda/kernel.h"

namespace onnxrun::cuda {
namespace {

class Copy {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) == DType::kString) return Acceptance::decline("strings");
    Acceptance result;
    for (size_t i = 1; i < node.input_count(); ++i) result.host_input(i);
    return result;
  }
  explicit Copy(const Node& node) : bytes_(base::dtype_bytes(dtype(node.output(0)), provider::count(node.output(0)))) {}
  void run(RunContext& context) const {
    if (context.input(0).data != context.output(0).data)
      stream_of(context).move(context.input(0).data, context.output(0).data, bytes_);
  }

 private:
  size_t bytes_;
};

}  // namespace

void kernels_onnx_reshape(provider::KernelTable& table) {
  for (const char* op : {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}) add<Copy>(table, "", op, "copy");
}

}  // namespace onnxrun::cuda
