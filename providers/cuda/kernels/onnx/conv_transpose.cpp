// ConvTranspose by cuDNN: the gradient of a convolution by its input. Pads that differ are taken off a wider result.
#include "ops/attributes/conv_transpose.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cuda/device/copy.h"
#include "cuda/host/broadcast.h"
#include "cuda/host/convolution.h"
#include "cuda/kernels/fill.h"

namespace onnxrun::cuda {
namespace {

class ConvTranspose {
 public:
  static Acceptance accepts(const Node& node) {
    if (!Convolution::serves(dtype(node.input(0))))
      return Acceptance::decline(fmt::format("no kernel for {}", base::dtype_name(dtype(node.input(0)))));
    return node.input(0).rank > 5 ? Acceptance::decline("more than 3 spatial axes") : Acceptance();
  }

  explicit ConvTranspose(const Node& node) : type_(dtype(node.input(0))), bytes_(base::dtype_bits(type_) / 8) {
    const auto x = provider::dims(node.input(0)), w = provider::dims(node.input(1)), y = provider::dims(node.output(0));
    const ops::TransposedWindow t = ops::read_transposed_window(node, {w.begin() + 2, w.end()});
    end_.count = provider::count(node.output(0));
    end_.channels = y[1];
    for (size_t d = 2; d < y.size(); ++d) end_.plane *= y[d];
    if (end_.count == 0 || provider::count(node.input(0)) == 0 || provider::count(node.input(1)) == 0) return;
    const size_t rank = x.size() - 2;
    ConvolutionShape shape;
    shape.y.assign(x.begin(), x.end());  // the convolution's result is what comes in
    shape.w.assign(w.begin(), w.end());
    shape.x.assign(y.begin(), y.end());
    shape.strides = t.window.strides, shape.dilations = t.window.dilations;
    shape.groups = node.get_int("group", 1);
    base::Dims cut;
    for (size_t d = 0; d < rank; ++d) {
      cut.push_back(t.cut_begin(d, x[d + 2], y[d + 2]));
      const int64_t reach = y[d + 2] + 2 * cut[d] - t.window.extent(d);
      cut_ |= cut[d] < 0 || reach < 0 || reach / shape.strides[d] + 1 != x[d + 2];
    }
    shape.pads = cut;
    if (cut_) widen(t.window, x, y, cut, shape);
    if (rank == 1) {
      for (base::Dims* dims : {&shape.x, &shape.w, &shape.y}) dims->insert(dims->begin() + 2, 1);
      shape.pads.insert(shape.pads.begin(), 0);
      shape.strides.insert(shape.strides.begin(), 1);
      shape.dilations.insert(shape.dilations.begin(), 1);
    }
    convolutions_.emplace_back(type_, node.precision(), shape);
  }

  size_t scratch_bytes() const { return convolutions_.empty() ? 0 : Convolution::kWorkspace + full_bytes_; }

  void run(RunContext& context) const {
    if (end_.count == 0) return;
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    void* y = context.output(0).data;
    if (convolutions_.empty() || cut_)
      fill_zero(stream, y, static_cast<size_t>(end_.count) * static_cast<size_t>(bytes_));
    if (!convolutions_.empty()) {
      char* full = static_cast<char*>(context.scratch()) + Convolution::kWorkspace;
      convolutions_[0].transposed(stream, context.input(0).data, context.input(1).data, cut_ ? full : y,
                                  context.scratch());
      if (cut_) launch_copy(queue, kept_, bytes_, full + from_ * bytes_, static_cast<char*>(y) + to_ * bytes_);
    }
    if (!context.has_input(2)) return;
    ChannelEnd end = end_;
    end.bias = context.input(2).data;
    launch_channel_end(queue, type_, end, y);
  }

 private:
  // The result without pads, and the part of it that the output shows.
  void widen(const ops::Window& window, base::DimsView x, base::DimsView y, const base::Dims& cut,
             ConvolutionShape& shape) {
    base::Dims kept(y.begin(), y.end());
    for (size_t d = 0; d < cut.size(); ++d) {
      shape.x[d + 2] = base::checked_add(base::checked_mul(x[d + 2] - 1, window.strides[d]), window.extent(d));
      shape.pads[d] = 0;
      const int64_t first = std::max<int64_t>(0, cut[d]), lead = std::max<int64_t>(0, -cut[d]);
      kept[d + 2] = std::max<int64_t>(0, std::min(shape.x[d + 2] - first, y[d + 2] - lead));
    }
    const base::Dims full = base::contiguous_strides(shape.x), own = base::contiguous_strides(y);
    for (size_t d = 0; d < cut.size(); ++d) {
      from_ += std::max<int64_t>(0, cut[d]) * full[d + 2];
      to_ += std::max<int64_t>(0, -cut[d]) * own[d + 2];
    }
    kept_ = *walk<2>(kept, {full, own});
    full_bytes_ = base::dtype_bytes(type_, base::element_count(shape.x));
  }

  DType type_;
  int bytes_;
  ChannelEnd end_;
  bool cut_ = false;
  size_t full_bytes_ = 0;
  int64_t from_ = 0, to_ = 0;
  Axes<2> kept_;
  std::vector<Convolution> convolutions_;  // one, or none where there is nothing to add up
};

}  // namespace

void kernels_onnx_conv_transpose(provider::KernelTable& table) {
  add<ConvTranspose>(table, "", "ConvTranspose", "cudnn");
}

}  // namespace onnxrun::cuda
