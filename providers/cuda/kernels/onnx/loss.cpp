// NegativeLogLikelihoodLoss.
#include "cuda/device/loss.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {
namespace {

class NegativeLogLikelihoodLoss {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.has_input(2) && node.input(2).dtype != node.input(0).dtype)
      return Acceptance::decline("weights of another type");
    return is_plain_float(dtype(node.input(0))) ? Acceptance() : no_kernel(node);
  }
  explicit NegativeLogLikelihoodLoss(const Node& node) {
    const auto dims = provider::dims(node.input(0));
    how_.outer = dims[0], how_.classes = dims[1];
    how_.inner = product(dims, 2, dims.size());
    how_.ignores = node.has("ignore_index");
    how_.ignored = node.get_int("ignore_index", 0);
    const std::string reduction = node.get_string("reduction", "mean");
    how_.reduction = reduction == "none"  ? LossReduction::kNone
                     : reduction == "sum" ? LossReduction::kSum
                                          : LossReduction::kMean;
    how_.type = dtype(node.input(0));
    how_.wide_labels = dtype(node.input(1)) == DType::kInt64;
  }
  void run(RunContext& context) const {
    LikelihoodLoss how = how_;
    how.labels = context.input(1).data;
    if (context.has_input(2)) how.weights = context.input(2).data;
    how.report = stream_of(context).expect("NegativeLogLikelihoodLoss: a target is not one of the classes");
    launch_likelihood_loss(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  LikelihoodLoss how_;
};

}  // namespace

void kernels_onnx_loss(provider::KernelTable& table) {
  add<NegativeLogLikelihoodLoss>(table, "", "NegativeLogLikelihoodLoss", "sums");
}

}  // namespace onnxrun::cuda
