// Col2Im.
#include "cuda/device/col2im.h"

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"

namespace onnxrun::cuda {
namespace {

class Col2Im {
 public:
  static Acceptance accepts(const Node& node) {
    if (find_block_sum(dtype(node.input(0))) == nullptr) return no_kernel(node);
    return Acceptance().host_input(1).host_input(2);
  }
  explicit Col2Im(const Node& node)
      : launch_(find_block_sum(dtype(node.input(0)))),
        strides_(node.get_ints("strides")),
        dilations_(node.get_ints("dilations")),
        pads_(node.get_ints("pads")) {}

  void run(RunContext& context) const {
    const base::Dims image = ints_of(context.input(1)), block = ints_of(context.input(2));
    const auto in = provider::dims(context.input(0));
    const BlockSum how = place(in, image, block);
    base::Dims dims{in[0], in[1] / how.block_size};
    dims.insert(dims.end(), image.begin(), image.end());
    const onnxrun_tensor& y = open_output(context, 0, dims);
    launch_(queue_of(context), how, context.input(0).data, y.data);
  }

 private:
  // The geometry for these sizes; throws where they do not fit.
  BlockSum place(base::DimsView in, const base::Dims& image, const base::Dims& block) const {
    using base::Code;
    const size_t axes = image.size();
    const base::Dims strides = strides_.empty() ? base::Dims(axes, 1) : strides_;
    const base::Dims dilations = dilations_.empty() ? base::Dims(axes, 1) : dilations_;
    const base::Dims pads = pads_.empty() ? base::Dims(2 * axes, 0) : pads_;
    if (axes == 0 || axes > kMaxAxes || block.size() != axes || strides.size() != axes || dilations.size() != axes ||
        pads.size() != 2 * axes)
      base::fail(
          Code::kRunFailed,
          "inputs 'image_shape' and 'block_shape' have {} and {} values, expected as many as attributes have axes",
          axes, block.size());
    BlockSum how;
    how.axes = static_cast<int>(axes);
    for (size_t d = 0; d < axes; ++d) {
      if (image[d] < 1 || block[d] < 1)
        base::fail(Code::kRunFailed, "inputs 'image_shape' and 'block_shape' must be positive");
      const int64_t extent = base::checked_add(base::checked_mul(block[d] - 1, dilations[d]), 1);
      const int64_t span = base::checked_add(image[d], pads[d] + pads[axes + d]) - extent;
      if (span < 0)
        base::fail(Code::kRunFailed, "a block of {} elements does not fit axis {} of the padded image", extent, d);
      how.image[d] = image[d], how.block[d] = block[d], how.blocks[d] = span / strides[d] + 1;
      how.strides[d] = strides[d], how.dilations[d] = dilations[d], how.pads[d] = pads[d];
    }
    how.image_size = base::element_count(image);
    how.block_size = base::element_count(block);
    how.block_count = base::element_count(base::DimsView(how.blocks, axes));
    if (in[1] % how.block_size != 0 || in[2] != how.block_count)
      base::fail(Code::kRunFailed, "input 'input' of shape {} does not fit {} blocks of {} elements",
                 base::to_string(in), how.block_count, how.block_size);
    how.planes = in[0] * (in[1] / how.block_size);
    return how;
  }

  BlockSumLaunch launch_;
  base::Dims strides_, dilations_, pads_;
};

}  // namespace

void kernels_onnx_col2im(provider::KernelTable& table) { add<Col2Im>(table, "", "Col2Im", "pixels"); }

}  // namespace onnxrun::cuda
