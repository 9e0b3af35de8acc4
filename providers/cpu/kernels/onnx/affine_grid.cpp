// AffineGrid: theta applied to the centres (or, with align_corners, the corners) of an evenly spaced grid in [-1, 1].
#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class AffineGrid {
 public:
  static Acceptance accepts(const Node&) {
    Acceptance acceptance;
    acceptance.host_input(1);
    return acceptance;
  }
  explicit AffineGrid(const Node& node)
      : align_(node.get_int("align_corners", 0) != 0),
        load_(converter(dtype(node.input(0)), DType::kFloat64)),
        store_(converter(DType::kFloat64, dtype(node.input(0)))),
        bytes_(base::dtype_bits(dtype(node.input(0))) / 8) {}

  void run(RunContext& context) const {
    const int64_t* size = context.in<int64_t>(1);
    const int64_t axes = provider::count(context.input(1)) - 2;
    const auto theta_dims = provider::dims(context.input(0));
    if ((axes != 2 && axes != 3) || theta_dims[0] != size[0] || theta_dims[1] != axes || theta_dims[2] != axes + 1)
      base::fail(base::Code::kRunFailed,
                 "input 'theta' of shape {} does not fit 'size' with {} values and a batch of {}",
                 base::to_string(theta_dims), axes + 2, axes < -1 ? -1 : size[0]);
    base::Dims dims{size[0]};
    dims.insert(dims.end(), size + 2, size + 2 + axes);
    const base::Dims space(dims.begin() + 1, dims.end());
    dims.push_back(axes);
    for (int64_t dim : dims)
      if (dim < 0) base::fail(base::Code::kRunFailed, "input 'size' has the value {}", dim);
    const onnxrun_tensor& out = open_output(context, 0, dims);
    const int64_t points = base::element_count(space);
    parallel_polled(context, size[0] * points, 256, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        double theta[12], at[4], result[3];
        load_(context.in<char>(0) + item / points * axes * (axes + 1) * bytes_, theta, axes * (axes + 1));
        int64_t rest = item % points;
        for (int64_t d = axes; d-- > 0;) {  // x is the last axis of the space
          at[axes - 1 - d] = position(rest % space[static_cast<size_t>(d)], space[static_cast<size_t>(d)]);
          rest /= space[static_cast<size_t>(d)];
        }
        at[axes] = 1;
        for (int64_t r = 0; r < axes; ++r) {
          result[r] = 0;
          for (int64_t k = 0; k <= axes; ++k) result[r] += theta[r * (axes + 1) + k] * at[k];
        }
        store_(result, static_cast<char*>(out.data) + item * axes * bytes_, axes);
      }
    });
  }

 private:
  double position(int64_t i, int64_t size) const {
    if (align_) return size == 1 ? -1.0 : -1.0 + 2.0 * static_cast<double>(i) / static_cast<double>(size - 1);
    return (2.0 * static_cast<double>(i) + 1.0) / static_cast<double>(size) - 1.0;
  }
  bool align_;
  Converter load_, store_;
  int64_t bytes_;
};

}  // namespace

void kernels_onnx_affine_grid(provider::KernelTable& table) { table.add<AffineGrid>("", "AffineGrid", "reference"); }

}  // namespace onnxrun::cpu
