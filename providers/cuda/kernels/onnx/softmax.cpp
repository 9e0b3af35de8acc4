// Softmax, LogSoftmax and LpNormalization.
#include "cuda/device/reduce.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/rows.h"

namespace onnxrun::cuda {
namespace {

class Softmax {
 public:
  static Acceptance accepts(const Node& node) {
    return find_softmax(node.op(), dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit Softmax(const Node& node)
      : launch_(find_softmax(node.op(), dtype(node.input(0)))), rows_(rows_along_axis(node)) {}
  void run(RunContext& context) const {
    launch_(queue_of(context), rows_, context.input(0).data, context.output(0).data);
  }

 private:
  SoftmaxLaunch launch_;
  Rows rows_;
};

class LpNormalization {
 public:
  static Acceptance accepts(const Node& node) {
    return find_lp_normalization(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit LpNormalization(const Node& node)
      : launch_(find_lp_normalization(dtype(node.input(0)))),
        rows_(rows_along_axis(node)),
        p_(static_cast<int>(node.get_int("p", 2))) {}
  void run(RunContext& context) const {
    launch_(queue_of(context), rows_, p_, context.input(0).data, context.output(0).data);
  }

 private:
  LpNormalLaunch launch_;
  Rows rows_;
  int p_;
};

}  // namespace

void kernels_onnx_softmax(provider::KernelTable& table) {
  add<Softmax>(table, "", "Softmax", "rows");
  add<Softmax>(table, "", "LogSoftmax", "rows");
  add<LpNormalization>(table, "", "LpNormalization", "rows");
}

}  // namespace onnxrun::cuda
