// Conv and FusedConv by cuDNN, with one axis as two, and unequal pads by a copy into a padded tensor.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "cuda/device/copy.h"
#include "cuda/host/broadcast.h"
#include "cuda/host/convolution.h"
#include "cuda/kernels/ending.h"
#include "cuda/kernels/fill.h"
#include "ops/attributes/window.h"

namespace onnxrun::cuda {
namespace {

std::optional<Ending> ending_of(const Node& node) {
  return Ending::find(node.get_string("activation"), node.get_floats("activation_params"), dtype(node.input(0)));
}

class Conv {
 public:
  static Acceptance accepts(const Node& node) {
    if (!Convolution::serves(dtype(node.input(0))))
      return Acceptance::decline(fmt::format("no kernel for {}", base::dtype_name(dtype(node.input(0)))));
    const int32_t rank = std::max(node.input(0).rank, node.input(1).rank);
    if (rank > 5) return Acceptance::decline("more than 3 spatial axes");
    if (!ending_of(node)) return Acceptance::decline(fmt::format("no activation '{}'", node.get_string("activation")));
    return {};
  }

  explicit Conv(const Node& node)
      : type_(dtype(node.input(0))), bytes_(base::dtype_bits(type_) / 8), ending_(*ending_of(node)) {
    const auto x = provider::dims(node.input(0)), w = provider::dims(node.input(1)), y = provider::dims(node.output(0));
    ConvolutionShape shape{{x.begin(), x.end()}, {w.begin(), w.end()}, {y.begin(), y.end()}, {}, {}, {}, 1};
    const ops::Window window = ops::read_window(node, {w.begin() + 2, w.end()});
    shape.strides = window.strides;
    shape.dilations = window.dilations;
    shape.groups = node.get_int("group", 1);
    end_.channels = y[1];
    end_.count = provider::count(node.output(0));
    for (size_t d = 2; d < y.size(); ++d) end_.plane *= y[d];
    end_.clamps = ending_.clamps, end_.low = ending_.low, end_.high = ending_.high;
    if (end_.count == 0) return;
    base::Dims begin;
    for (size_t d = 0; d < window.rank(); ++d) {
      const auto [low, high] = window.padding(d, x[d + 2]);
      begin.push_back(low);
      shape.pads.push_back(low);
      padded_ |= low != high;  // cuDNN pads both sides alike
    }
    if (padded_) pad(window, begin, shape);
    if (window.rank() == 1) as_two_axes(shape);
    if (provider::count(node.input(0)) > 0 && provider::count(node.input(1)) > 0)
      convolutions_.emplace_back(type_, node.precision(), shape);
  }

  size_t scratch_bytes() const {
    return convolutions_.empty() ? 0 : Convolution::kWorkspace + (padded_ ? padded_bytes_ : 0);
  }

  void run(RunContext& context) const {
    if (end_.count == 0) return;
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    const void* x = context.input(0).data;
    void* y = context.output(0).data;
    if (convolutions_.empty()) {
      fill_zero(stream, y, static_cast<size_t>(end_.count) * static_cast<size_t>(bytes_));
    } else {
      if (padded_) {
        char* wider = static_cast<char*>(context.scratch()) + Convolution::kWorkspace;
        fill_zero(stream, wider, padded_bytes_);
        launch_copy(queue, inner_, bytes_, x, wider + inner_offset_ * bytes_);
        x = wider;
      }
      if (is_relu() && context.has_input(2) &&
          convolutions_[0].forward_relu(stream, x, context.input(1).data, context.input(2).data,
                                        context.has_input(3) ? context.input(3).data : nullptr, y, context.scratch()))
        return;
      convolutions_[0].forward(stream, x, context.input(1).data, y, context.scratch());
    }
    ChannelEnd end = end_;
    if (context.has_input(2)) end.bias = context.input(2).data;
    if (context.has_input(3)) end.added = context.input(3).data;
    if (end.bias != nullptr || end.added != nullptr || end.clamps) launch_channel_end(queue, type_, end, y);
    if (ending_.launch != nullptr) ending_.launch(queue, ending_.formula, y, y, end_.count);
  }

 private:
  bool is_relu() const {
    return ending_.clamps && ending_.low == 0 && ending_.high == std::numeric_limits<float>::infinity();
  }

  // The input in the middle of zeros, as wide as both pads want.
  void pad(const ops::Window& window, const base::Dims& begin, ConvolutionShape& shape) {
    const base::Dims x = shape.x;
    base::Dims wider = x;
    for (size_t d = 0; d < begin.size(); ++d) {
      const auto [low, high] = window.padding(d, x[d + 2]);
      wider[d + 2] = base::checked_add(x[d + 2], base::checked_add(low, high));
      shape.pads[d] = 0;
    }
    const base::Dims steps = base::contiguous_strides(wider);
    for (size_t d = 0; d < begin.size(); ++d) inner_offset_ += begin[d] * steps[d + 2];
    inner_ = *walk<2>(x, {base::contiguous_strides(x), steps});
    padded_bytes_ = base::dtype_bytes(type_, base::element_count(wider));
    shape.x = wider;
  }

  static void as_two_axes(ConvolutionShape& shape) {
    for (base::Dims* dims : {&shape.x, &shape.w, &shape.y}) dims->insert(dims->begin() + 2, 1);
    shape.pads.insert(shape.pads.begin(), 0);
    shape.strides.insert(shape.strides.begin(), 1);
    shape.dilations.insert(shape.dilations.begin(), 1);
  }

  DType type_;
  int bytes_;
  Ending ending_;
  ChannelEnd end_;
  bool padded_ = false;
  size_t padded_bytes_ = 0;
  int64_t inner_offset_ = 0;
  Axes<2> inner_;
  std::vector<Convolution> convolutions_;  // one, or none where there is nothing to add up
};

}  // namespace

void kernels_onnx_conv(provider::KernelTable& table) {
  add<Conv>(table, "", "Conv", "cudnn");
  add<Conv>(table, "com.microsoft", "FusedConv", "cudnn");
}

}  // namespace onnxrun::cuda
