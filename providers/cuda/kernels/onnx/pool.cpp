// MaxPool, AveragePool and LpPool.
#include "cuda/device/pool.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "ops/attributes/window.h"

namespace onnxrun::cuda {
namespace {

template <PoolKind kKind>
class Pooling {
 public:
  static Acceptance accepts(const Node& node) {
    if (find_pool(kKind, dtype(node.input(0))) == nullptr) return no_kernel(node);
    return node.input(0).rank > 5 ? Acceptance::decline("more than 3 spatial axes") : Acceptance();
  }
  explicit Pooling(const Node& node) : launch_(find_pool(kKind, dtype(node.input(0)))) {
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    const size_t rank = in.size() - 2, first = 3 - rank;
    const ops::Window window = ops::read_window(node, ops::read_kernel(node, rank));
    pool_.kind = kKind;
    pool_.planes = in[0] * in[1];
    pool_.count_pads = node.get_int("count_include_pad", 0) != 0;
    pool_.columns_first = node.get_int("storage_order", 0) != 0;
    pool_.p = static_cast<double>(node.get_int("p", 2));
    for (size_t d = 0; d < rank; ++d) {
      const size_t to = first + d;
      pool_.in[to] = in[d + 2], pool_.out[to] = out[d + 2];
      pool_.kernel[to] = window.kernel[d], pool_.strides[to] = window.strides[d],
      pool_.dilations[to] = window.dilations[d];
      const auto [low, high] = window.padding(d, in[d + 2]);
      pool_.begin[to] = low, pool_.end[to] = high;
    }
  }
  void run(RunContext& context) const {
    launch_(queue_of(context), pool_, context.input(0).data, context.output(0).data,
            context.has_output(1) ? context.out<int64_t>(1) : nullptr);
  }

 private:
  PoolLaunch launch_;
  Pool pool_;
};

}  // namespace

void kernels_onnx_pool(provider::KernelTable& table) {
  add<Pooling<PoolKind::kMax>>(table, "", "MaxPool", "window");
  add<Pooling<PoolKind::kAverage>>(table, "", "AveragePool", "window");
  add<Pooling<PoolKind::kLp>>(table, "", "LpPool", "window");
}

}  // namespace onnxrun::cuda
