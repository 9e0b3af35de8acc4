// MaxUnpool: places count in the smallest output that the window allows; a larger output_shape keeps their coordinates.
#include "cuda/device/rearrange.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"
#include "cuda/kernels/whole_bytes.h"
#include "ops/attributes/window.h"

namespace onnxrun::cuda {
namespace {

class MaxUnpool {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank > kMaxAxes) return Acceptance::decline("too many axes");
    return whole_bytes(node.input(0)).host_input(2);
  }
  explicit MaxUnpool(const Node& node) : bytes_(bytes_of(node.input(0))) {
    const auto x = provider::dims(node.input(0));
    if (x.size() > kMaxAxes) throw provider::Declined{"too many axes"};
    const ops::Window window = ops::read_window(node, ops::read_kernel(node, x.size() - 2));
    how_.rank = static_cast<int>(x.size());
    how_.count = provider::count(node.input(0));
    how_.counted[0] = x[0], how_.counted[1] = x[1];
    for (size_t d = 0; d < window.rank(); ++d)
      how_.counted[d + 2] =
          (x[d + 2] - 1) * window.strides[d] + window.kernel[d] - window.pads[d] - window.pads[window.rank() + d];
    for (int d = 0; d < how_.rank; ++d) how_.limit = base::checked_mul(how_.limit, how_.counted[d]);
  }
  void run(RunContext& context) const {
    base::Dims dims(how_.counted, how_.counted + how_.rank);
    if (context.has_input(2)) {
      const std::vector<int64_t> sizes = ints_of(context.input(2));
      for (size_t d = 0; d < dims.size(); ++d) {
        if (sizes[d] < dims[d])
          base::fail(base::Code::kRunFailed, "input 'output_shape' asks for {} along axis {}, at least {} are needed",
                     sizes[d], d, dims[d]);
        dims[d] = sizes[d];
      }
    }
    const onnxrun_tensor& y = open_output(context, 0, dims);
    Unpooling how = how_;
    for (int d = 0; d < how.rank; ++d) how.out[d] = dims[static_cast<size_t>(d)];
    how.places = context.in<int64_t>(1);
    how.report = stream_of(context).expect("MaxUnpool: input 'I' has an index beyond the output");
    fill_zero(stream_of(context), y.data, base::dtype_bytes(dtype(y), provider::count(y)));
    launch_unpool(queue_of(context), how, bytes_, context.input(0).data, y.data);
  }

 private:
  int bytes_;
  Unpooling how_;
};

}  // namespace

void kernels_onnx_max_unpool(provider::KernelTable& table) { add<MaxUnpool>(table, "", "MaxUnpool", "places"); }

}  // namespace onnxrun::cuda
