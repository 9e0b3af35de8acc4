// ArgMax and ArgMin.
#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/arg_extreme.h"

namespace onnxrun::cpu {
namespace {

template <Extreme extreme>
class Arg {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Arg(const Node& node) {
    const auto dims = provider::dims(node.input(0));
    const int64_t axis = base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(dims.size()));
    loop_ = ArgExtreme(extreme, dtype(node.input(0)), AxisView(dims, axis), node.get_int("select_last_index", 0) != 0);
  }

  void run(RunContext& context) const { loop_.run(context, context.input(0).data, context.out<int64_t>(0)); }

 private:
  ArgExtreme loop_;
};

}  // namespace

void kernels_onnx_arg_max(provider::KernelTable& table) {
  table.add<Arg<Extreme::kLargest>>("", "ArgMax", "reference");
  table.add<Arg<Extreme::kSmallest>>("", "ArgMin", "reference");
}

}  // namespace onnxrun::cpu
