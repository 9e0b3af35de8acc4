// ReverseSequence.
#include "cuda/device/rearrange.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/whole_bytes.h"

namespace onnxrun::cuda {
namespace {

class ReverseSequence {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit ReverseSequence(const Node& node) : bytes_(bytes_of(node.input(0))) {
    const auto dims = provider::dims(node.input(0));
    how_.first = dims[0], how_.second = dims[1];
    how_.inner = product(dims, 2, dims.size());
    how_.time_first = node.get_int("time_axis", 0) == 0;
  }
  void run(RunContext& context) const {
    Reversal how = how_;
    how.lengths = context.in<int64_t>(1);
    how.report = stream_of(context).expect("ReverseSequence: a sequence has a length that its time axis has not");
    launch_reverse(queue_of(context), how, bytes_, context.input(0).data, context.output(0).data);
  }

 private:
  int bytes_;
  Reversal how_;
};

}  // namespace

void kernels_onnx_reverse_sequence(provider::KernelTable& table) {
  add<ReverseSequence>(table, "", "ReverseSequence", "places");
}

}  // namespace onnxrun::cuda
