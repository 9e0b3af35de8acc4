// AffineGrid in two or three axes.
#include "cuda/device/affine_grid.h"

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"

namespace onnxrun::cuda {
namespace {

class AffineGrid {
 public:
  static Acceptance accepts(const Node& node) {
    return is_plain_float(dtype(node.input(0))) ? Acceptance().host_input(1) : no_kernel(node);
  }
  explicit AffineGrid(const Node& node) { how_.corners = node.get_int("align_corners", 0) != 0; }

  void run(RunContext& context) const {
    const std::vector<int64_t> size = ints_of(context.input(1));
    const auto theta = provider::dims(context.input(0));
    AffineGridding how = how_;
    how.axes = static_cast<int64_t>(size.size()) - 2;
    if ((how.axes != 2 && how.axes != 3) || theta[0] != size[0] || theta[1] != how.axes || theta[2] != how.axes + 1)
      base::fail(base::Code::kRunFailed,
                 "input 'theta' of shape {} does not fit 'size' with {} values and a batch of {}",
                 base::to_string(theta), size.size(), size.empty() ? -1 : size[0]);
    base::Dims dims{size[0]};
    dims.insert(dims.end(), size.begin() + 2, size.end());
    for (const int64_t dim : dims)
      if (dim < 0) base::fail(base::Code::kRunFailed, "input 'size' has the value {}", dim);
    dims.push_back(how.axes);
    const onnxrun_tensor& y = open_output(context, 0, dims);
    how.batch = size[0];
    for (int64_t d = 0; d < how.axes; ++d) how.space[d] = dims[static_cast<size_t>(d) + 1];
    how.points = product(dims, 1, dims.size() - 1);
    launch_affine_grid(queue_of(context), how, dtype(y), context.input(0).data, y.data);
  }

 private:
  AffineGridding how_;
};

}  // namespace

void kernels_onnx_affine_grid(provider::KernelTable& table) { add<AffineGrid>(table, "", "AffineGrid", "points"); }

}  // namespace onnxrun::cuda
