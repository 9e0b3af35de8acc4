// Conv, and FusedConv with what it adds and its activation, of float32 sequences where each filter sees one channel.
#include <algorithm>

#include "cpu/kernels/fast_products.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/depthwise.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"
#include "cpu/loops/window_geometry.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class SequenceConv {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (type != DType::kFloat32 && type != DType::kFloat16 && type != DType::kBfloat16)
      return Acceptance::decline("computes in float32 only");
    if (node.input(0).rank != 3) return Acceptance::decline("not along one axis");
    if (!end_of_convolution(node))
      return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    return {};
  }
  explicit SequenceConv(const Node& node)
      : g_(ops::read_window(node, kernel_of(node.input(1))), node.input(0), node.output(0)),
        operands_(node, 4, 1, DType::kFloat32),
        end_(*end_of_convolution(node)) {
    if (g_.in_channels < 1 || node.get_int("group", 1) != g_.in_channels)
      throw provider::Declined{"filters see several channels"};
    if (g_.strides[0] != 1) throw provider::Declined{"strides"};
    if (g_.kernel[0] < 1 || g_.kernel[0] > kReach || g_.dilations[0] > kReach ||
        (g_.kernel[0] - 1) * g_.dilations[0] > kReach)
      throw provider::Declined{"long kernels"};
  }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const int64_t length = g_.out[0];
    if (g_.batch * g_.out_channels * length == 0) return;
    const auto arrays = operands_.load(context);
    const int64_t pieces = (length + kPiece - 1) / kPiece, filters = g_.out_channels / g_.in_channels;
    parallel_polled(context, g_.batch * g_.out_channels * pieces, Cost(std::min(length, kPiece)) * g_.kernel[0],
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item) {
                        const int64_t row = item / pieces, channel = row / filters;
                        compute(arrays, row, channel, item % pieces * kPiece);
                      }
                    });
    operands_.store(context, arrays);
  }

 private:
  static constexpr int64_t kPiece = 2048, kReach = 2048, kSlack = 64;

  // Results [first, first + kPiece) of a row, or as many as there are.
  void compute(const WorkOperands::Arrays& arrays, int64_t row, int64_t channel, int64_t first) const {
    float line[kPiece + kReach + kSlack];
    const int64_t count = std::min(kPiece, g_.out[0] - first), filter = row % g_.out_channels;
    const int64_t origin = first - g_.pad_begin[0], needed = count + (g_.kernel[0] - 1) * g_.dilations[0] + kSlack;
    const int64_t low = std::clamp<int64_t>(-origin, 0, needed), high = std::clamp(g_.in[0] - origin, low, needed);
    const float* x = arrays.in<float>(0) + channel * g_.in[0];
    std::fill_n(line, low, 0.0f);
    if (high > low) std::copy(x + origin + low, x + origin + high, line + low);
    std::fill(line + high, line + needed, 0.0f);
    const float* bias = arrays.in<float>(2);
    float* y = arrays.out<float>(0) + row * g_.out[0] + first;
    depthwise_floats(line, arrays.in<float>(1) + filter * g_.kernel[0], g_.kernel[0], g_.dilations[0],
                     bias == nullptr ? 0.0f : bias[filter], y, count);
    if (const float* added = arrays.in<float>(3); added != nullptr)
      row_functions().add_scaled(added + row * g_.out[0] + first, 1.0f, y, count);
    if (end_.present()) end_.finish(y, count);
  }

  WindowGeometry g_;
  WorkOperands operands_;
  BlockEnd end_;
};

}  // namespace

void add_sequence_convolutions(provider::KernelTable& table) {
  table.add<SequenceConv>("", "Conv", "sequences");
  table.add<SequenceConv>("com.microsoft", "FusedConv", "sequences");
}

}  // namespace onnxrun::cpu
