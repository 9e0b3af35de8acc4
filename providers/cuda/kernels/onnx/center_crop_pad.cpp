// CenterCropPad: a pad whose leads may be negative.
#include <algorithm>

#include "cuda/device/fill.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/whole_bytes.h"

namespace onnxrun::cuda {
namespace {

class CenterCropPad {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank > kMaxAxes) return Acceptance::decline("too many axes");
    return whole_bytes(node.input(0)).host_input(1);
  }
  explicit CenterCropPad(const Node& node) : bytes_(bytes_of(node.input(0))) {
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    if (in.size() > kMaxAxes) throw provider::Declined{"too many axes"};
    const base::Dims steps = base::contiguous_strides(in);
    how_.rank = static_cast<int>(in.size());
    how_.count = base::element_count(out);
    for (size_t d = 0; d < in.size(); ++d) {
      how_.out[d] = out[d], how_.steps[d] = steps[d];
      how_.kept[d] = std::min(in[d], out[d]);
      how_.cut[d] = (in[d] - how_.kept[d]) / 2;
      how_.lead[d] = (out[d] - how_.kept[d]) / 2;
    }
  }
  void run(RunContext& context) const {
    launch_pad(queue_of(context), how_, bytes_, nullptr, context.input(0).data, context.output(0).data);
  }

 private:
  int bytes_;
  Padding how_;
};

}  // namespace

void kernels_onnx_center_crop_pad(provider::KernelTable& table) {
  add<CenterCropPad>(table, "", "CenterCropPad", "places");
}

}  // namespace onnxrun::cuda
