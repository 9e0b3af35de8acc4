// GridSample in up to 8 axes.
#include "cuda/device/grid_sample.h"

#include <string>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {
namespace {

class GridSample {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank > kMaxAxes + 2) return Acceptance::decline("too many axes");
    return find(node) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit GridSample(const Node& node) : launch_(find(node)), grid_type_(dtype(node.input(1))) {
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    if (in.size() > kMaxAxes + 2) throw provider::Declined{"too many axes"};
    const std::string mode = node.get_string("mode", "linear"), padding = node.get_string("padding_mode", "zeros");
    how_.taps = mode == "nearest" ? 1 : mode == "linear" ? 2 : 4;
    how_.edge = padding == "zeros"    ? SampleEdge::kZeros
                : padding == "border" ? SampleEdge::kBorder
                                      : SampleEdge::kReflection;
    how_.corners = node.get_int("align_corners", 0) != 0;
    how_.axes = static_cast<int>(in.size()) - 2;
    for (size_t d = 2; d < in.size(); ++d) how_.space[d - 2] = in[d];
    how_.batch = in[0], how_.channels = in[1];
    how_.plane = product(in, 2, in.size());
    how_.points = product(out, 2, out.size());
  }
  void run(RunContext& context) const {
    if (how_.plane == 0 && how_.batch * how_.channels * how_.points != 0)
      base::fail(base::Code::kRunFailed, "input 'X' has no elements to sample");
    launch_(queue_of(context), how_, context.input(0).data, grid_type_, context.input(1).data, context.output(0).data);
  }

 private:
  static GridSampleLaunch find(const Node& node) {
    return find_grid_sample(dtype(node.input(0)), node.get_string("mode", "linear") == "nearest");
  }
  GridSampleLaunch launch_;
  DType grid_type_;
  GridSampling how_;
};

}  // namespace

void kernels_onnx_grid_sample(provider::KernelTable& table) { add<GridSample>(table, "", "GridSample", "points"); }

}  // namespace onnxrun::cuda
