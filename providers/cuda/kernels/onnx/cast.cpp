// Cast and CastLike between types of whole bytes.
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

class Cast {
 public:
  static Acceptance accepts(const Node& node) {
    const DType from = dtype(node.input(0)), to = dtype(node.output(0));
    if (find_cast(from, to) != nullptr) return {};
    return Acceptance::decline(
        fmt::format("no conversion from {} to {}", base::dtype_name(from), base::dtype_name(to)));
  }
  explicit Cast(const Node& node)
      : launch_(find_cast(dtype(node.input(0)), dtype(node.output(0)))), count_(provider::count(node.output(0))) {}
  void run(RunContext& context) const {
    launch_(queue_of(context), context.input(0).data, context.output(0).data, count_);
  }

 private:
  CastLaunch launch_;
  int64_t count_;
};

}  // namespace

void kernels_onnx_cast(provider::KernelTable& table) {
  add<Cast>(table, "", "Cast", "map");
  add<Cast>(table, "", "CastLike", "map");
}

}  // namespace onnxrun::cuda
