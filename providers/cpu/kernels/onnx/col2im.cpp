// Col2Im: each pixel sums the elements of all blocks that cover it.
#include "cpu/loops/convolve.h"

#include <algorithm>
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Col2Im {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (type == DType::kString || type == DType::kBool) return Acceptance::decline("elements that cannot be added");
    Acceptance acceptance;
    acceptance.host_input(1).host_input(2);
    return acceptance;
  }
  explicit Col2Im(const Node& node)
      : strides_(node.get_ints("strides")), dilations_(node.get_ints("dilations")), pads_(node.get_ints("pads")) {}

  void run(RunContext& context) const {
    const int64_t rank = provider::count(context.input(1));
    const size_t axes = static_cast<size_t>(rank);
    Sizes s;
    s.strides = strides_;
    s.dilations = dilations_;
    s.pads = pads_;
    if (s.strides.empty()) s.strides.assign(axes, 1);
    if (s.dilations.empty()) s.dilations.assign(axes, 1);
    if (s.pads.empty()) s.pads.assign(2 * axes, 0);
    const int64_t *image = context.in<int64_t>(1), *block = context.in<int64_t>(2);
    s.image.assign(image, image + rank);
    s.block.assign(block, block + provider::count(context.input(2)));
    check(context, s);
    const auto in = provider::dims(context.input(0));
    base::Dims dims{in[0], in[1] / s.block_size};
    dims.insert(dims.end(), s.image.begin(), s.image.end());
    const onnxrun_tensor& out = open_output(context, 0, dims);
    const DType type = dtype(out);
    const bool done = dispatch(Types<float, double, uint8_t, uint16_t, uint32_t, uint64_t, Float16, Bfloat16>{},
                               base::unsigned_of(type), [&](auto t) {
                                 using T = typename decltype(t)::type;
                                 using Sum =
                                     std::conditional_t<std::is_integral_v<T>, T,
                                                        std::conditional_t<std::is_same_v<T, double>, double, float>>;
                                 sum<T, Sum>(context, s, dims, context.in<T>(0), static_cast<T*>(out.data), 1);
                               });
    if (!done && type == DType::kComplex64)
      sum<float, float>(context, s, dims, context.in<float>(0), static_cast<float*>(out.data), 2);
    if (!done && type == DType::kComplex128)
      sum<double, double>(context, s, dims, context.in<double>(0), static_cast<double*>(out.data), 2);
  }

 private:
  struct Sizes {
    base::Dims image, block, strides, dilations, pads, blocks;
    int64_t image_size = 1, block_size = 1, block_count = 1;
  };

  static void check(RunContext& context, Sizes& s) {
    using base::Code;
    const size_t axes = s.image.size();
    if (axes == 0 || axes > kMaxSpatialAxes || s.block.size() != axes || s.strides.size() != axes ||
        s.dilations.size() != axes || s.pads.size() != 2 * axes)
      base::fail(
          Code::kRunFailed,
          "inputs 'image_shape' and 'block_shape' have {} and {} values, expected as many as attributes have axes",
          axes, s.block.size());
    for (size_t d = 0; d < axes; ++d) {
      if (s.image[d] < 1 || s.block[d] < 1)
        base::fail(Code::kRunFailed, "inputs 'image_shape' and 'block_shape' must be positive");
      const int64_t extent = base::checked_add(base::checked_mul(s.block[d] - 1, s.dilations[d]), 1);
      const int64_t span = base::checked_add(s.image[d], base::checked_add(s.pads[d], s.pads[axes + d])) - extent;
      if (span < 0)
        base::fail(Code::kRunFailed, "a block of {} elements does not fit axis {} of the padded image", extent, d);
      s.blocks.push_back(span / s.strides[d] + 1);
    }
    s.image_size = base::element_count(s.image);
    s.block_size = base::element_count(s.block);
    s.block_count = base::element_count(s.blocks);
    const auto in = provider::dims(context.input(0));
    if (in[1] % s.block_size != 0 || in[2] != s.block_count)
      base::fail(Code::kRunFailed, "input 'input' of shape {} does not fit {} blocks of {} elements",
                 base::to_string(in), s.block_count, s.block_size);
  }

  template <class T, class Sum>
  static void sum(RunContext& context, const Sizes& s, const base::Dims& dims, const T* x, T* y, int64_t parts) {
    const size_t axes = s.image.size();
    context.parallel(
        dims[0] * dims[1] * s.image_size, std::max<int64_t>(1, 8192 / s.block_size), [&](int64_t begin, int64_t end) {
          Pacer pacer(context);
          for (int64_t item = begin; item < end; ++item) {
            int64_t pixel[kMaxSpatialAxes], k[kMaxSpatialAxes];
            coordinates(item % s.image_size, s.image, axes, pixel);
            const int64_t plane = item / s.image_size;
            Sum total[2] = {Sum(0), Sum(0)};
            for (int64_t e = 0; e < s.block_size; ++e) {
              pacer.did(8);
              coordinates(e, s.block, axes, k);
              int64_t at = 0;
              bool inside = true;
              for (size_t d = 0; inside && d < axes; ++d) {
                const int64_t reach = pixel[d] + s.pads[d] - k[d] * s.dilations[d];
                inside = reach >= 0 && reach % s.strides[d] == 0 && reach / s.strides[d] < s.blocks[d];
                at = at * s.blocks[d] + reach / s.strides[d];
              }
              if (!inside) continue;
              for (int64_t p = 0; p < parts; ++p)
                total[p] = static_cast<Sum>(
                    total[p] + static_cast<Sum>(x[((plane * s.block_size + e) * s.block_count + at) * parts + p]));
            }
            for (int64_t p = 0; p < parts; ++p) y[item * parts + p] = static_cast<T>(total[p]);
          }
        });
  }

  base::Dims strides_, dilations_, pads_;
};

}  // namespace

void kernels_onnx_col2im(provider::KernelTable& table) { table.add<Col2Im>("", "Col2Im", "reference"); }

}  // namespace onnxrun::cpu
