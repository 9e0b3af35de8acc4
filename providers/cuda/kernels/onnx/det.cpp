// Det.
#include "cuda/device/matrix.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"

namespace onnxrun::cuda {
namespace {

class Det {
 public:
  static Acceptance accepts(const Node& node) {
    return is_plain_float(dtype(node.input(0))) ? Acceptance() : no_kernel(node);
  }
  explicit Det(const Node& node)
      : count_(provider::count(node.output(0))), size_(provider::dims(node.input(0)).back()) {}
  size_t scratch_bytes() const {
    return static_cast<size_t>(base::checked_mul(count_, base::checked_mul(size_ * size_, sizeof(double))));
  }
  void run(RunContext& context) const {
    launch_determinant(queue_of(context), count_, size_, dtype(context.input(0)), context.input(0).data,
                       static_cast<double*>(context.scratch()), context.output(0).data);
  }

 private:
  int64_t count_, size_;
};

}  // namespace

void kernels_onnx_det(provider::KernelTable& table) { add<Det>(table, "", "Det", "blocks"); }

}  // namespace onnxrun::cuda
