// Where and Clip.
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

class Where {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.output(0));
    return base::is_sub_byte(type) ? Acceptance::decline("packed elements") : Acceptance();
  }
  explicit Where(const Node& node)
      : axes_(broadcast_walk<3>(node)), bytes_(base::dtype_bits(dtype(node.output(0))) / 8) {}
  void run(RunContext& context) const {
    launch_where(queue_of(context), axes_, bytes_, context.in<bool>(0), context.input(1).data, context.input(2).data,
                 context.output(0).data);
  }

 private:
  Axes<3> axes_;
  int bytes_;
};

class Clip {
 public:
  static Acceptance accepts(const Node& node) {
    return find_clip(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance().alias(0, 0);
  }
  explicit Clip(const Node& node) : launch_(find_clip(dtype(node.input(0)))), count_(provider::count(node.output(0))) {}
  void run(RunContext& context) const {
    const auto limit = [&](size_t i) { return context.has_input(i) ? context.input(i).data : nullptr; };
    launch_(queue_of(context), context.input(0).data, limit(1), limit(2), context.output(0).data, count_);
  }

 private:
  ClipLaunch launch_;
  int64_t count_;
};

}  // namespace

void kernels_onnx_choice(provider::KernelTable& table) {
  add<Where>(table, "", "Where", "map");
  add<Clip>(table, "", "Clip", "map");
}

}  // namespace onnxrun::cuda
